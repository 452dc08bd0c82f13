"""A reader in a process of its own: opens what is published afresh each time, and judges it.

A read is whole when every table that carries an as-of date carries that of one publish, and when
all tables together have the rows that `audit_publishes` says. Anything else is a mix; what cannot
be read at all is an error. Until there is a first publish there is nothing to read.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

# One that never rests takes half a core from the nights.
_RESTS_SECONDS = 0.2


@dataclass
class Reads:
    """What a reader saw."""

    whole: int = 0
    mixes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    publishes: list[str] = field(default_factory=list)

    def add(self, other: Reads) -> None:
        """Add those of another reader."""
        self.whole += other.whole
        self.mixes += other.mixes
        self.errors += other.errors
        self.publishes += [one for one in other.publishes if one not in self.publishes]


def read_once(published: Path) -> tuple[str, list[str]]:
    """Open what `current` leads to; the publish, and what is wrong with it."""
    with duckdb.connect(str(published / "current" / "account360.duckdb"), read_only=True) as reader:
        newest = reader.execute(
            "select publish_id, as_of_date, tables, rows from audit_publishes"
            " order by published_at desc, publish_id desc limit 1"
        ).fetchone()
        assert newest
        publish, as_of, tables, rows = newest
        names = [n for (n,) in reader.execute("select table_name from duckdb_tables()").fetchall()]
        dated = reader.execute(
            "select table_name from duckdb_columns() inner join duckdb_tables() using (table_name)"
            " where column_name = 'as_of_date' and table_name <> 'audit_publishes'"
        ).fetchall()
        counts = " union all ".join(f"select count(*) as n from {name}" for name in names)
        (counted,) = reader.execute(f"select sum(n) from ({counts})").fetchone() or (0,)
        dates = " union ".join(f"select as_of_date from {name}" for (name,) in dated)
        found = {day for (day,) in reader.execute(dates).fetchall()}
    wrong = []
    if found != {as_of}:
        wrong.append(f"{publish}: as of {as_of}, with rows of {sorted(map(str, found))}")
    if (len(names), counted) != (tables, rows):
        wrong.append(f"{publish}: {len(names)} tables, {counted} rows; audit: {tables}, {rows}")
    return publish, wrong


def read_on(published: Path, stop: Path, begun: Path) -> Reads:
    """Read again and again until there is a file `stop`; `begun` is made after the first look."""
    reads = Reads()
    has_published = False
    while not stop.exists():
        try:
            # once there is one there is always one
            has_published = has_published or (published / "current").is_symlink()
            if has_published:
                publish, wrong = read_once(published)
                reads.whole += not wrong
                reads.mixes += wrong
                if publish not in reads.publishes:
                    reads.publishes.append(publish)
        except Exception as error:  # whatever it is, a reader met it
            reads.errors.append(f"{type(error).__name__}: {error}")
        begun.touch()
        time.sleep(_RESTS_SECONDS)
    return reads


class Reader:
    """Such a reader, from its start to its end."""

    def __init__(self, published: Path, folder: Path) -> None:
        """Start reading; `folder` is for its own files, and empty."""
        folder.mkdir(parents=True)
        self._stop = folder / "stop"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.drill.readers", str(published), str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 60
        while not (folder / "begun").exists() and time.monotonic() < until:
            time.sleep(0.05)

    def end(self) -> Reads:
        """Stop reading; what was seen."""
        self._stop.touch()
        said, _ = self._process.communicate(timeout=120)
        return Reads(**json.loads(said))


def main() -> None:
    """Read on, and tell what was seen."""
    published, folder = map(Path, sys.argv[1:])
    print(json.dumps(vars(read_on(published, folder / "stop", folder / "begun"))))


if __name__ == "__main__":
    main()
