"""Loads of files into raw tables in memory, as ingestion leaves them, without files or dlt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import duckdb

from ingestion import ENTITIES, LoadedFile
from ingestion.landed_columns import note_columns
from ingestion.sql import quoted
from ingestion.tables import contract_tables, dataset_name


class RawLoads:
    """The raw schema of one domain, with every load noted as ingestion notes it."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.number = 0
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(f"create schema {dataset_name(domain)}")
        for table, columns in contract_tables(domain).items():
            typed = ", ".join(f"{quoted(name)} {type_}" for name, type_ in columns.items())
            self.connection.execute(f"create table {dataset_name(domain)}.{table} ({typed})")

    @property
    def contract(self) -> dict[str, tuple[str, ...]]:
        return {name: entity.columns for name, entity in ENTITIES[self.domain].items()}

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        return {name: entity.key for name, entity in ENTITIES[self.domain].items()}

    def load(
        self,
        entity: str,
        *files: tuple[str, Sequence[Mapping[str, Any]]],
        loaded_at: datetime = datetime(2024, 6, 10, 3),
        extract_date: date | None = None,
    ) -> None:
        """One load: each file a name and its records, whose keys are its columns."""
        self.number += 1
        schema, loaded = dataset_name(self.domain), []
        for name, records in files:
            location = f"{self.domain}/{entity}/{name}"
            columns = sorted({column for record in records for column in record})
            for column in columns:
                self.connection.execute(
                    f"alter table {schema}.{entity} add column if not exists"
                    f" {quoted(column)} varchar"
                )
            names = ", ".join([*map(quoted, columns), "_location", "_line", "_load_number"])
            marks = ", ".join("?" * (len(columns) + 3))
            rows = [
                [*(_text(record.get(column)) for column in columns), location, line, self.number]
                for line, record in enumerate(records, start=1)
            ]
            if rows:
                self.connection.executemany(
                    f"insert into {schema}.{entity} ({names}) values ({marks})", rows
                )
            file = LoadedFile(
                entity=entity,
                location=location,
                format=name.partition(".")[2],
                content_hash="",
                size_bytes=0,
                extract_date=extract_date,
                rows_read=len(rows),
                unparsed_rows=0,
                columns=tuple(columns),
            )
            self.connection.execute(
                f"insert into {schema}.landed_files values (?, ?, ?, '', 0, ?, ?, '', ?, ?, 0, 0)",
                [entity, location, file.format, extract_date, self.number, loaded_at, len(rows)],
            )
            loaded.append(file)
        note_columns(self.connection, self.domain, self.number, loaded)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
