"""`python -m ingestion crm [--landing DIR] [--home DIR]`: load one domain alone."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from ingestion import DOMAINS, LoadReport, load_domain
from settings import SettingsError, load_settings


def main(arguments: list[str] | None = None) -> int:
    """Load a domain, print what happened; 0 where all of it could be read, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m ingestion",
        description="Load what is new in the landing folder of one domain into raw.",
    )
    parser.add_argument("domain", choices=DOMAINS)
    parser.add_argument("--landing", metavar="DIR", help="the landing folder")
    parser.add_argument("--home", metavar="DIR", help="the folder of the warehouse")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(landing=options.landing, home=options.home)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    import duckdb

    try:
        report = load_domain(options.domain, settings, datetime.now(UTC), print)
    except duckdb.IOException as error:
        print(f"{options.domain}: {error}", file=sys.stderr)
        return 1
    for line in summary(report):
        print(line)
    return 1 if report.problems else 0


def summary(report: LoadReport) -> list[str]:
    """The report as lines for a reader: files and records per entity, then what went wrong."""
    if report.load_number is None:
        lines = [f"{report.domain}: nothing new ({report.seconds:.1f} s)"]
    else:
        lines = [
            f"{report.domain}: load {report.load_number}, {len(report.files)} files,"
            f" {report.rows_read:,} records ({report.seconds:.1f} s)"
        ]
    for entity in dict.fromkeys(file.entity for file in report.files):
        files = [file for file in report.files if file.entity == entity]
        read = sum(file.rows_read for file in files)
        unparsed = sum(file.unparsed_rows for file in files)
        note = f", {unparsed:,} of them unparsed" if unparsed else ""
        lines.append(f"  {entity}: {len(files)} files, {read:,} records{note}")
    lines += [f"  unknown column, kept in raw: {column}" for column in report.unknown_columns]
    lines += [f"  ignored: {location}" for location in report.ignored]
    lines += [f"  PROBLEM {problem}" for problem in report.problems]
    return lines


if __name__ == "__main__":
    sys.exit(main())
