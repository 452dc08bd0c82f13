"""A disk of its own for a test, small enough to fill: a tmpfs that only its processes see."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SmallDisk:
    """A tmpfs mounted at `path` in a mount namespace, which the process `holder` keeps alive."""

    path: Path
    holder: subprocess.Popen[str]

    @property
    def inside(self) -> list[str]:
        """Put before a command: it then sees the disk at `path`."""
        own = [] if os.geteuid() == 0 else ["--user"]
        return ["nsenter", f"--target={self.holder.pid}", "--mount", *own]

    @property
    def seen(self) -> Path:
        """Where this process finds what stands at `path`."""
        return Path(f"/proc/{self.holder.pid}/root{self.path}")

    def leave(self, free_bytes: int) -> None:
        """Fill the disk so that only so much of it is free; what filled it before goes first."""
        filler = self.seen / "filler"
        filler.unlink(missing_ok=True)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.seen).free - free_bytes)

    def make_room(self) -> None:
        """Take away what `leave` filled the disk with."""
        (self.seen / "filler").unlink()

    def remount(self, option: str) -> None:
        """Mount it again with an option: `ro`, so that nobody may write, or `rw`."""
        command = [*self.inside, "mount", "-o", f"remount,{option}", str(self.path)]
        subprocess.run(command, check=True)

    def close(self) -> None:
        """Let go of it: the system takes it away with the last process that sees it."""
        self.holder.communicate()


def small_disk(path: Path, megabytes: int) -> SmallDisk:
    """Mount one at an empty folder. Skips the test where the system lets nobody mount anything."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("a disk of its own needs the mount namespaces of Linux")
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    mount = f"mount -t tmpfs -o size={megabytes}m tmpfs '{path}' && echo mounted && exec cat"
    holder = subprocess.Popen(
        ["unshare", "--mount", *own, "sh", "-c", mount],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    if holder.stdout.readline() != "mounted\n":
        pytest.skip(f"no disk could be mounted: {holder.communicate()[1].strip()}")
    return SmallDisk(path, holder)
