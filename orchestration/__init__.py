"""The only room that knows the others: Dagster's definitions by station, and the command line.

`definitions.py` and `defs/` say what the night is made of; `night.py` runs one in this process;
`arguments.py` is what a person may type, and `cli.py` what that does. What a station does with
files and tables stands beside them: `manifest.py` (the dbt project), `publishing/` (write, audit,
publish), `report.py` (what a night tells afterwards). Nothing heavy is imported before it is
needed: `account360 status` never loads Dagster.
"""
