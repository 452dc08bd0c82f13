"""What a night tells afterwards: a record that is kept as JSON, and the text a person reads."""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import duckdb

from ingestion.whole_files import write_whole
from settings import Settings

_CONSERVATION = {
    "records_read": "read",
    "current_rows": "current",
    "dated_after_rows": "later",
    "superseded": "superseded",
    "duplicates": "duplicates",
    "unattributed": "unattributed",
    "rejected": "rejected",
    "erased": "erased",
}


@dataclass(frozen=True)
class Remark:
    """Something that failed, or that is worth a look: where, what, its details, where to look."""

    where: str
    what: str
    details: list[str] = field(default_factory=list)
    see: str = ""


@dataclass(frozen=True)
class DomainLoad:
    """What one domain's load took in."""

    domain: str
    files: int
    records: int
    unknown_columns: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass
class NightReport:
    """One night: what was asked, what came of it, and how long each station took."""

    as_of: str
    run_id: str
    started_at: str
    log: str
    seconds: float = 0.0
    publish_id: str = ""
    folder: str = ""
    links: list[str] = field(default_factory=list)
    tables: int = 0
    rows: int = 0
    loads: list[DomainLoad] = field(default_factory=list)
    conservation: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    accepted: list[Remark] = field(default_factory=list)
    upgrades: list[str] = field(default_factory=list)
    stations: dict[str, float] = field(default_factory=dict)

    @property
    def is_published(self) -> bool:
        """Whether readers got a new publish."""
        return bool(self.publish_id)


def last_run_path(settings: Settings) -> Path:
    """The record of the last night."""
    return settings.logs_path / "last_run.json"


def save(report: NightReport, settings: Settings) -> None:
    """Keep the record of a night as the last one."""
    write_whole(last_run_path(settings), json.dumps(asdict(report), indent=2) + "\n")


def load_last(settings: Settings) -> NightReport | None:
    """The record of the last night, or None before the first."""
    path = last_run_path(settings)
    if not path.exists():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    values["loads"] = [DomainLoad(**load) for load in values["loads"]]
    for kind in ("failures", "warnings", "accepted"):
        values[kind] = [Remark(**remark) for remark in values.get(kind, [])]
    # Another version of the code may have written it, with parts that this one does not know.
    known = {one.name for one in fields(NightReport)}
    return NightReport(**{name: value for name, value in values.items() if name in known})


def read_conservation(database: Path, relation: str) -> list[dict[str, Any]]:
    """Records by domain and entity, as a table of a database tells; empty where there is none."""
    if not database.exists():
        return []
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            cursor = connection.execute(f"select * from {relation} order by domain, entity")
            names = [column[0] for column in cursor.description]
            wanted = {"domain", "entity", "difference", *_CONSERVATION}
            return [
                {name: value for name, value in zip(names, row, strict=True) if name in wanted}
                for row in cursor.fetchall()
            ]
    except duckdb.CatalogException:
        return []


def render(report: NightReport) -> str:
    """The summary of a night, as a person reads it at the end of `account360 run`."""
    parts = [
        _headline(report),
        _section("Loaded", _load_lines(report.loads)),
        _section("Records, over all loads", conservation_lines(report.conservation)),
        _section("Upgraded", report.upgrades),
        _section("Failed", _remark_lines(report.failures)),
        _section("Accepted", _remark_lines(report.accepted)),
        _section("Worth a look", _remark_lines(report.warnings)),
        _section("Time", _time_lines(report)),
    ]
    return "\n\n".join(part for part in parts if part)


def shown(path: Path) -> Path:
    """A path as a person reads it: from the working directory, where it stands below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _headline(report: NightReport) -> str:
    if not report.is_published:
        return "\n".join(
            [
                f"Night of {report.as_of}: NOT PUBLISHED after {report.seconds:.1f} s. "
                "Readers keep the last publish.",
                f"  log        {shown(Path(report.log))}",
            ]
        )
    lines = [f"Night of {report.as_of}: published in {report.seconds:.1f} s."]
    folder = Path(report.folder)
    for link in sorted(report.links, reverse=True):
        lines.append(f"  file       {shown(folder.parent / link / 'account360.duckdb')}")
        lines.append(f"  parquet    {shown(folder.parent / link / 'parquet')}")
    if "current" not in report.links:
        lines.append("  `current` stays at a later as-of date; --make-current would move it")
    lines.append(f"  publish    {report.publish_id}: {report.tables} tables, {report.rows:,} rows")
    lines.append(f"  log        {shown(Path(report.log))}")
    return "\n".join(lines)


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _load_lines(loads: Sequence[DomainLoad]) -> list[str]:
    lines = table(
        [
            [load.domain, f"{load.files:,}", "files", f"{load.records:,}", "records"]
            if load.files
            else [load.domain, "", "nothing new", "", ""]
            for load in loads
        ],
        numbers={1, 3},
    )
    for load in loads:
        lines += [
            f"unknown column, kept in raw: {load.domain}.{one}" for one in load.unknown_columns
        ]
        lines += [f"ignored: {one}" for one in load.ignored]
    return lines


def conservation_lines(conservation: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the records of each entity that has any went, as lines of a table."""
    rows = [row for row in conservation if row["records_read"]]
    if not rows:
        return []
    columns = [
        name
        for name in _CONSERVATION
        if name in ("records_read", "current_rows", "unattributed", "rejected")
        or any(row.get(name) for row in rows)
    ]
    return table(
        [
            ["entity", *(_CONSERVATION[name] for name in columns)],
            *(
                [f"{row['domain']}.{row['entity']}", *(f"{row.get(name, 0):,}" for name in columns)]
                for row in rows
            ),
        ],
        numbers=set(range(1, len(columns) + 1)),
    )


def _remark_lines(remarks: Sequence[Remark]) -> list[str]:
    lines = []
    for remark in remarks:
        lines.append(f"{remark.where}: {remark.what}")
        lines += [f"    {line}" for detail in remark.details for line in detail.splitlines()]
        if remark.see:
            lines.append(f"    see {remark.see}")
    return lines


def _time_lines(report: NightReport) -> list[str]:
    """Seconds by station, the domains of one together; the rest is Dagster's own."""
    seconds: dict[str, float] = {}
    for name, took in report.stations.items():
        station = name.split(" of ")[0] if " of " in name else name
        station = "landing" if station.startswith("landing ") else station
        seconds[station] = seconds.get(station, 0.0) + took
    rest = report.seconds - sum(seconds.values())
    if rest >= 0.05:
        seconds["Dagster"] = rest
    return table([[name, f"{took:.1f} s"] for name, took in seconds.items()], numbers={1})


def failing_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows that made a test fail, one line each."""
    for row in rows:
        yield ", ".join(f"{name} = {value}" for name, value in zip(columns, row, strict=True))


def table(rows: Sequence[Sequence[str]], numbers: set[int]) -> list[str]:
    """Lines with columns under each other; those in `numbers` to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
