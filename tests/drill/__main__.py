"""`make drill`: kill nights at N points, run each again, and compare with what nobody disturbed.

A small company of all domains lands over three nights, the last with late records, files delivered
again and an account that is merged into another. Points lie in the first night and in the third,
which is incremental: in every station, by the time that an undisturbed night takes for it, by the
nodes of dbt, and before each single change of files while it publishes. Every fourth night that is
killed in dbt was of another as-of date than the one that follows. After each point

    the next night publishes, all tables but those that tell of runs are equal to an undisturbed
    night's, every kept publish is what was sealed, and nothing unfinished is left;
    no process of the killed night is alive two seconds later;
    a reader, reading all the while, saw whole publishes only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sample_data import DemoSummary, write_demo
from tests.drill.readers import Reader, Reads
from tests.end_to_end.nights import contents, parquet_contents

_SCALE = 0.05
_SEED = 360
# Two kept publishes, so that the third night has one to remove.
_SETTINGS = {"ACCOUNT360_KEPT_PUBLISHES": "2"}
_DOMAINS = ("crm", "billing", "events", "tickets")
_FOREIGN = ("ACCOUNT360_", "DAGSTER_", "DBT_")
_REMOVED = ("os.remove", "os.rmdir")
_LEFTOVERS = (".candidate", ".current", ".as_of=*", ".gone_*")
_MERGED = "old_account_id,account_id\nACC-1003,ACC-1001\n"

# Of how many points each station gets one, the exact ones of the publish apart.
_SHARES = {
    "begin": 1,
    "preparing": 1,
    "landing": 8,
    "arrival": 4,
    "between": 2,
    "dbt": 18,
    "candidate": 6,
    "release checks": 2,
    "report": 2,
}


@dataclass(frozen=True)
class Point:
    """Where a night is killed: which night (0 or 2), what doomed.py is told, and of which date."""

    night: int
    station: str
    doom: Mapping[str, Any]
    other_date: bool = False

    def __str__(self) -> str:
        """As it stands in the progress."""
        where = ", ".join(f"{k} {v}" for k, v in self.doom.items() if k != "station")
        of = " of another date" if self.other_date else ""
        return f"night {self.night + 1}{of}, {self.doom['station']}: {where}"


@dataclass
class Tally:
    """What the drill counted."""

    kills: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    equal: int = 0
    failures: list[str] = field(default_factory=list)
    reads: Reads = field(default_factory=Reads)


class Drill:
    """One home folder, made anew for every point from copies that stand beside it."""

    def __init__(self, folder: Path) -> None:
        """`folder`: everything goes below it; it should be empty."""
        self.folder = folder
        self.home = folder / "home"
        self.company: DemoSummary = write_demo(
            folder / "company", seed=_SEED, scale=_SCALE, nights=3
        )
        self.dates = [night + timedelta(days=1) for night in self.company.nights]
        self.tally = Tally()

    def prepare(self) -> None:
        """Run the three nights undisturbed: copies before and after each, traces of two."""
        self.land(0)
        self._parse()
        self._keep("before_0")
        for night in range(3):
            if night:
                self.land(night)
                self._keep(f"before_{night}")
            trace = self.folder / f"trace_{night}.json"
            ended = self.run(night, {"trace": str(trace)})
            if ended.returncode != 0:
                raise SystemExit(f"an undisturbed night failed:\n{ended.stdout}{ended.stderr}")
            self._keep(f"after_{night}")

    def land(self, night: int) -> None:
        """Put the files of one night into the landing folder."""
        for file in self.company.files:
            day = file.extract_date or self.company.nights[0]
            if max(day, self.company.nights[0]) == self.company.nights[night]:
                target = self.home / "landing" / file.location
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.company.landing / file.location, target)
        if night == 2:
            merged = f"crm/account_aliases/{self.company.nights[2]}-merged.csv"
            (self.home / "landing" / merged).write_text(_MERGED)

    def points(self, count: int) -> list[Point]:
        """So many points over all stations of both nights, the exact ones of the publish first."""
        events = self._station(2, "publish")["events"]
        removed = [n for n, told in enumerate(events) if told.startswith(_REMOVED)]
        # of the files of an old publish one is as good as the other
        left_out = set(removed) - set(removed[:: max(len(removed) // 2, 1)])
        exact = [
            Point(2, "publish", {"station": "publish", "event": number})
            for number in range(len(events))
            if number not in left_out
        ]
        exact = _spread(exact, max(count // 3, 1))
        left = count - len(exact)
        shares = _shares(left)
        found = list(exact)
        for station, share in shares.items():
            found += [self._point(station, number, share) for number in range(share)]
        return found

    def _point(self, station: str, number: int, share: int) -> Point:
        """The number-th of so many points of a station; every third is of the first night."""
        night = 0 if number % 3 == 2 else 2
        part = (number + 0.5) / share
        if station == "dbt":
            steps = self._station(night, "dbt")["steps"]
            doom: dict[str, Any] = {"station": "dbt", "step": max(1, round(part * steps))}
            return Point(night, station, doom, other_date=night == 2 and number % 4 == 1)
        if station == "landing":
            name = f"landing {_DOMAINS[number % 4]}"
            if number % 8 >= 4:
                events = len(self._station(night, name)["events"])
                return Point(night, station, {"station": name, "event": events * 2 // 3})
        elif station == "arrival":
            name = f"arrival checks of {_DOMAINS[number % 4]}"
        elif station == "between":
            name = "after arrival checks of tickets" if number % 2 else "after release checks"
        elif station == "report":
            event = {"station": "after publish", "of": "os.rename .last_run"}
            return (
                Point(night, station, event)
                if number % 2 == 0
                else Point(night, station, {"station": "after publish", "after": 0.05})
            )
        else:
            name = station
        seconds = self._station(night, name)["seconds"]
        is_one_of_four = station in ("landing", "arrival")
        fraction = (0.3, 0.7)[number // 4 % 2] if is_one_of_four else part
        return Point(night, station, {"station": name, "after": round(fraction * seconds, 3)})

    def _station(self, night: int, name: str) -> dict[str, Any]:
        trace = json.loads((self.folder / f"trace_{night}.json").read_text())
        return next(each for each in trace if each["station"] == name)

    def play(self, point: Point) -> None:
        """Kill a night at a point, run the next one, and judge what it published."""
        tally = self.tally
        self._restore(f"before_{point.night}")
        number = sum(tally.kills.values()) + len(tally.missed)
        reader = Reader(self.home / "published", self.folder / "readers" / str(number))
        try:
            as_of = self.dates[point.night]
            if point.other_date:
                as_of -= timedelta(days=20)
            killed = self.run(point.night, dict(point.doom), as_of)
            if killed.returncode != -9:
                tally.missed.append(f"{point}: it ended with {killed.returncode}")
            else:
                tally.kills[point.station] += 1
            wrong = list(self._still_alive())
            again = self.run(point.night, {})
        finally:
            tally.reads.add(reader.end())
        if again.returncode != 0:
            wrong.append(f"the next night ended with {again.returncode}: {again.stdout[-3000:]}")
        else:
            wrong += self._judge(point)
        if wrong:
            tally.failures += [f"{point}: {each}" for each in wrong]
        else:
            tally.equal += 1

    def _judge(self, point: Point) -> Iterator[str]:
        database = Path("published", "current", "account360.duckdb")
        expected = self.folder / f"after_{point.night}" / database
        actual = self.home / database
        for what, read in (("table", contents), ("Parquet of", parquet_contents)):
            theirs, ours = read(expected), read(actual)
            for name in sorted(theirs.keys() | ours.keys()):
                if theirs.get(name) != ours.get(name):
                    rows = set(map(repr, theirs.get(name, []))) ^ set(map(repr, ours.get(name, [])))
                    yield f"{what} {name} differs, as in {sorted(rows)[:2]}"
        verified = self._account360("verify", "--all", "--home", str(self.home))
        if verified.returncode != 0:
            yield f"verify: {verified.stdout}{verified.stderr}"
        for pattern in _LEFTOVERS:
            for leftover in (self.home / "published").glob(pattern):
                yield f"{leftover.name} is left"

    def _still_alive(self) -> Iterator[str]:
        """Processes of the killed night that hold its warehouse two seconds later."""
        warehouse = str(self.home / "warehouse.duckdb")
        until = time.monotonic() + 2
        while True:
            alive = [pid for pid in _processes() if _has_open(pid, warehouse)]
            if not alive or time.monotonic() >= until:
                break
            time.sleep(0.05)
        for pid in alive:
            yield f"process {pid} of the killed night has the warehouse open"

    def run(
        self, night: int, doom: Mapping[str, Any], as_of: date | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a night in a process that is doomed, or not."""
        return _call(
            "-m",
            "tests.drill.doomed",
            json.dumps(doom),
            *("run", "--home", str(self.home), "--as-of", str(as_of or self.dates[night])),
        )

    def _account360(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _call("-m", "orchestration.cli", *arguments)

    def _parse(self) -> None:
        """Parse the dbt project for this home, once for all points."""
        code = (
            "import sys; from orchestration.manifest import load_manifest;"
            "from settings import load_settings; load_manifest(load_settings(home=sys.argv[1]))"
        )
        parsed = _call("-c", code, str(self.home))
        if parsed.returncode != 0:
            raise SystemExit(parsed.stderr)

    def _keep(self, name: str) -> None:
        shutil.copytree(self.home, self.folder / name, symlinks=True)

    def _restore(self, name: str) -> None:
        shutil.rmtree(self.home)
        shutil.copytree(self.folder / name, self.home, symlinks=True)


def _call(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        # files, not pipes: what a killed night leaves running would keep a pipe open
        ended = subprocess.run(
            [sys.executable, *arguments],
            env={**environment, **_SETTINGS},
            stdout=out,
            stderr=err,
            timeout=1800,
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(ended.args, ended.returncode, out.read(), err.read())


def _processes() -> list[int]:
    proc = Path("/proc")
    return [int(p.name) for p in proc.iterdir() if p.name.isdecimal()] if proc.is_dir() else []


def _has_open(pid: int, path: str) -> bool:
    try:
        return any(str(fd.readlink()) == path for fd in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _shares(count: int) -> dict[str, int]:
    """Points by station, in proportion, each at least one as long as there are any."""
    total = sum(_SHARES.values())
    shares = {station: count * share // total for station, share in _SHARES.items()}
    for station in sorted(shares, key=lambda name: (shares[name] > 0, -_SHARES[name])):
        if sum(shares.values()) < count:
            shares[station] += 1
    return shares


def _spread(points: Sequence[Point], count: int) -> list[Point]:
    """So many of them, evenly."""
    if len(points) <= count:
        return list(points)
    return [points[number * len(points) // count] for number in range(count)]


def report(tally: Tally, points: int, seconds: float) -> str:
    """What the drill came to."""
    kills = ", ".join(f"{name} {count}" for name, count in sorted(tally.kills.items()))
    return "\n".join(
        [
            f"{points} points in {seconds / 60:.1f} minutes",
            f"  killed     {sum(tally.kills.values())}: {kills}",
            f"  not hit    {len(tally.missed)}",
            f"  equal      {tally.equal} nights published what an undisturbed one does",
            f"  different  {len(tally.failures)}",
            f"  reads      {tally.reads.whole:,} of {len(tally.reads.publishes)} publishes",
            f"  mixes      {len(tally.reads.mixes)}",
            f"  errors     {len(tally.reads.errors)}",
            *tally.missed,
            *tally.failures,
            *tally.reads.mixes[:10],
            *tally.reads.errors[:10],
        ]
    )


def main() -> int:
    """Play the drill; 0 when every night came to the same and no reader saw anything else."""
    parser = argparse.ArgumentParser(prog="drill", description=__doc__)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--only", help="only points whose text has this in it")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="account360_drill_") as folder:
        drill = Drill(Path(folder).resolve())
        print("three undisturbed nights …", flush=True)
        drill.prepare()
        points = [p for p in drill.points(options.points) if (options.only or "") in str(p)]
        with contextlib.suppress(KeyboardInterrupt):  # what was counted until then is told
            for number, point in enumerate(points, start=1):
                before = time.monotonic()
                drill.play(point)
                print(
                    f"[{(time.monotonic() - started) / 60:5.1f} min]"
                    f" {number} of {len(points)}: {point}"
                    f" ({time.monotonic() - before:.0f} s, equal {drill.tally.equal})",
                    flush=True,
                )
    tally = drill.tally
    print(report(tally, len(points), time.monotonic() - started))
    is_well = not (tally.failures or tally.missed or tally.reads.mixes or tally.reads.errors)
    return 0 if is_well and tally.equal == len(points) else 1


if __name__ == "__main__":
    sys.exit(main())
