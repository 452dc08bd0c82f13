"""The drill: nights are killed at many points, and the next one must publish the same.

doomed.py    runs `account360` and kills it (SIGKILL) at a point that is told beforehand
readers.py   a reader in a process of its own, which reads what is published, all the time
__main__.py  `make drill`: plays it through, and counts
"""
