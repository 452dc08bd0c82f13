"""`make bench`: what landing, a first night, one more day and an empty night cost.

Every row of the tables is measured in this run, on this machine. A night is the command line's, in
processes of its own, from its start to its end. Memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from benchmarks import landing
from benchmarks.event_history import AS_OF, write_day, write_history
from orchestration.manifest import dbt_environment
from orchestration.report import load_last
from settings import DBT_PROJECT, PROJECT_ROOT, Settings, load_settings

_BY_HAND = Path(__file__).with_name("by_hand.sql")
_EVENTS_OF_A_DAY = 100_000
# The script is run, and compared, up to this size; a larger build is told by the first night.
_BY_HAND_UP_TO = 10

# The tables that both ways make, with their keys.
_TABLES = {
    "account_activity_daily": ("account_id", "day"),
    "user_activity_daily": ("account_id", "user_id", "day"),
    "account_users": ("account_id", "user_id"),
    "account_module_usage_30d": ("account_id", "product", "module"),
    "account_feature_usage_30d": ("account_id", "product", "module", "feature"),
    "user_module_usage_30d": ("account_id", "user_id", "product", "module"),
    "user_feature_usage_30d": ("account_id", "user_id", "product", "module", "feature"),
}
# Models and tests that read events or what was made of them, and no account's other pages.
_OF_EVENTS = re.compile(
    r"native__event|canonical__events|int_user_|int_event_chain|int_day__ranked"
    r"|int_account__(usage_days|activity)|int_account_day__active|_(module|feature)_"
    r"|fct_(user|account)_days\b|(user|account)_activity_daily(?!_rollup)|dim_users|account_users"
)
_LAST_OF_THE_CHAIN = "int_event_chain__files"


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    megabytes: float


def main() -> None:
    """Run the suite and print its tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument(
        "--millions",
        type=float,
        nargs="+",
        default=[1, 10],
        help="sizes of the event histories, in millions (default: 1 10; 100 takes half an hour)",
    )
    parser.add_argument("--landing-rows", type=int, default=2_000_000, help="0: leave landing out")
    parser.add_argument("--days", type=int, default=2, help="further days on each history")
    parser.add_argument("--dir", type=Path, help="where to work (default: a temporary folder)")
    options = parser.parse_args()
    if options.dir:
        options.dir.mkdir(parents=True, exist_ok=True)
    print(f"{_machine()}, {date.today()}")
    with tempfile.TemporaryDirectory(dir=options.dir, prefix="bench_") as folder:
        if options.landing_rows:
            bench_landing(Path(folder), options.landing_rows)
        bench_nights(Path(folder), sorted(options.millions), options.days)


def bench_landing(folder: Path, rows: int) -> None:
    """Rows per second landed, and DuckDB's."""
    say(f"landing {rows:,} events in each format, three times …")
    print_table(
        ["format", "landed, rows/s", "DuckDB, rows/s", "ratio", "DuckDB as text, rows/s", "ratio"],
        [
            [
                format_,
                f"{rows / ours:,.0f}",
                *(f"{rows / theirs:,.0f}", f"{theirs / ours:.2f}"),
                *(f"{rows / as_text:,.0f}", f"{as_text / ours:.2f}"),
            ]
            for format_, ours, theirs, as_text in landing.measure(folder, rows, rounds=3)
        ],
    )


def bench_nights(folder: Path, millions: Sequence[float], days: int) -> None:
    """First night, full build against the script, further days and an empty night, by size."""
    stations: dict[float, dict[str, float]] = {}
    print_table(
        [
            "events",
            "first night",
            "peak memory",
            "warehouse, per million",
            "full build",
            "by hand",
            "ratio",
            "one more day: its events",
            "more than with nothing new",
            "the whole night",
            "its memory",
            "nothing new",
        ],
        (_nights_of(folder, size, days, stations) for size in millions),
    )
    print_table(
        ["station, nothing new", *(f"{size:g} million" for size in stations)],
        [
            [station, *(f"{of.get(station, 0):.1f} s" for of in stations.values())]
            for station in dict.fromkeys(name for of in stations.values() for name in of)
        ],
    )


def _nights_of(
    folder: Path, size: float, days: int, stations: dict[float, dict[str, float]]
) -> list[str]:
    """The row of one size; the stations of its empty night go into `stations`."""
    settings = _settings(folder / f"{size:g}")
    events = round(size * 1_000_000)
    say(f"{size:g} million events: writing them …")
    write_history(settings.landing, events)
    say(f"{size:g} million events: the first night …")
    first = night(settings, AS_OF)
    megabytes = settings.warehouse_path.stat().st_size / 1e6
    built = [f"{seconds_of_events(settings, with_landing=False):.0f} s", "–", "–"]
    if size <= _BY_HAND_UP_TO:
        say(f"{size:g} million events: a full build of the activity tables, and the script …")
        ours, by_hand = full_build(settings), script(settings, folder)
        assert_equal(settings, folder)
        built = [f"{ours:.1f} s", f"{by_hand:.1f} s", f"{ours / by_hand:.2f}"]
    further = []
    for number in range(days):
        say(f"{size:g} million events: further day {number + 1} of {days} …")
        write_day(settings.landing, events, number, _EVENTS_OF_A_DAY)
        cost = night(settings, AS_OF + timedelta(days=number + 1))
        further.append((cost, seconds_of_events(settings)))
    say(f"{size:g} million events: a night with nothing new …")
    empty = night(settings, AS_OF + timedelta(days=days))
    of_a_day = statistics.median(seconds for _, seconds in further)
    stations[size] = _stations(settings, empty)
    return [
        f"{size:g} million",
        f"{first.seconds:.0f} s",
        f"{first.megabytes / 1000:.1f} GB",
        f"{megabytes / size:.0f} MB",
        *built,
        f"{of_a_day:.1f} s",
        f"{of_a_day - seconds_of_events(settings):.1f} s",
        f"{statistics.median(cost.seconds for cost, _ in further):.1f} s",
        f"{max(cost.megabytes for cost, _ in further) / 1000:.1f} GB",
        f"{empty.seconds:.1f} s",
    ]


def night(settings: Settings, as_of: date) -> Cost:
    """One night of the command line; it must publish."""
    cost = run(
        [str(Path(sys.executable).with_name("account360")), "run", "--as-of", str(as_of)],
        {"ACCOUNT360_HOME": str(settings.home)},
    )
    report = load_last(settings)
    if report is None or not report.is_published:
        raise SystemExit(f"the night of {as_of} was not published: {report}")
    return cost


def seconds_of_events(settings: Settings, with_landing: bool = True) -> float:
    """What the last night spent on events: landing them, and all that dbt made and tested of them.

    Accounts and subscriptions, which every night builds anew, are left out.
    """
    report = load_last(settings)
    landed = report.stations["landing events"] if report and with_landing else 0.0
    results = json.loads((settings.dbt_target_path / "run_results.json").read_text("utf-8"))
    return landed + sum(
        result["execution_time"]
        for result in results["results"]
        if _OF_EVENTS.search(result["unique_id"])
    )


def full_build(settings: Settings) -> float:
    """dbt building the activity tables from raw, with all they hang on, and a copy of the views."""
    cost = run(
        [
            str(Path(sys.executable).with_name("dbt")),
            "--quiet",
            "run",
            "--full-refresh",
            f"--profiles-dir={DBT_PROJECT}",
            "--select",
            *(f"+{name}" for name in (*_TABLES, _LAST_OF_THE_CHAIN)),
        ],
        dbt_environment(settings),
        DBT_PROJECT,
    )
    copied = settings.home / "views.duckdb"
    started = time.perf_counter()
    with duckdb.connect(str(copied)) as connection:
        connection.execute(f"attach '{settings.warehouse_path}' as warehouse (read_only)")
        for view in _TABLES:
            connection.execute(f"create table {view} as from warehouse.published.{view}")
    copied.unlink()
    return cost.seconds + time.perf_counter() - started


def script(settings: Settings, folder: Path) -> float:
    """The same tables by the hand-written script, from the same files into a fresh database."""
    database = folder / "by_hand.duckdb"
    database.unlink(missing_ok=True)
    started = time.perf_counter()
    with duckdb.connect(str(database)) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute("set variable events = ?", [f"{settings.landing}/events/events/*"])
        connection.execute("set variable as_of = ?", [AS_OF])
        connection.execute(_BY_HAND.read_text(encoding="utf-8"))
    return time.perf_counter() - started


def assert_equal(settings: Settings, folder: Path) -> None:
    """Both ways give the same rows; doubles may differ in the last digits."""
    with duckdb.connect(str(folder / "by_hand.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{settings.warehouse_path}' as warehouse (read_only)")
        for table, key in _TABLES.items():
            described = connection.execute(f"describe {table}").fetchall()
            differs = " or ".join(
                f"by_hand.{name} is distinct from ours.{name}"
                if kind in ("VARCHAR", "DATE")
                else f"(by_hand.{name} is null) != (ours.{name} is null)"
                f" or abs(by_hand.{name} - ours.{name}) > 1e-9 * greatest(1, by_hand.{name})"
                for name, kind, *_ in described
                if name not in key
            )
            rows, wrong = connection.execute(
                f"""
                select count(*), count(*) filter (
                    by_hand.account_id is null or ours.account_id is null or {differs}
                )
                from {table} as by_hand
                full join warehouse.published.{table} as ours using ({", ".join(key)})
                """
            ).fetchone() or (0, 0)
            if wrong or not rows:
                raise SystemExit(f"{table}: {wrong:,} of {rows:,} rows differ from the script's")


def run(command: list[str], environment: dict[str, str], folder: Path = PROJECT_ROOT) -> Cost:
    """Run a command to its end: wall time, and the memory of its largest process."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace")[-4000:]
            raise SystemExit(f"{words}\n{' '.join(command)} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(time.perf_counter() - started, usage.ru_maxrss * unit / 1e6)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in Markdown, on standard output."""
    print(f"\n| {' | '.join(header)} |\n|{' --- |' * len(header)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def say(what: str) -> None:
    """Progress, on standard error."""
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


def _stations(settings: Settings, cost: Cost) -> dict[str, float]:
    """Seconds of a night by station, with what lies before the first and after the last."""
    report = load_last(settings)
    stations = dict(report.stations) if report else {}
    return {**stations, "start and end of the program": cost.seconds - sum(stations.values())}


def _settings(home: Path) -> Settings:
    return replace(load_settings(environ={}), home=home, landing=home / "landing")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )


if __name__ == "__main__":
    main()
