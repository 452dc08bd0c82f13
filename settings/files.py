"""Reading the TOML files that configure health, alert rules and charts: every value checked, and
each error says file, place, what is wrong and what is allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from settings.errors import SettingsError

_LARGEST = Decimal(10) ** 12


class Table:
    """One table of a file: its values, and its place as an error names it."""

    def __init__(self, file: Path, place: str, values: Any, keys: Sequence[str]) -> None:
        """Refuse what is no table, or has a key that is not one of `keys`."""
        self.file, self.place = file, place
        if not isinstance(values, dict):
            raise self.error(f"{said(values)} is no table", "a table of key = value")
        self.values: dict[str, Any] = values
        for key in values:
            if key not in keys:
                raise self.error(f"unknown key {key!r}", ", ".join(keys), near(key, keys))

    def error(self, wrong: str, allowed: str, hint: str = "") -> SettingsError:
        """The error that says where the table stands, what is wrong in it and what is allowed."""
        return SettingsError(f"{self.file}, {self.place}: {wrong}: {hint}allowed is {allowed}")

    def refuse(self, key: str, allowed: str, hint: str = "") -> SettingsError:
        """The error of a value that is absent or not allowed."""
        if key not in self.values:
            return self.error(f"{key} is missing", allowed)
        return self.error(f"{key} is {said(self.values[key])}", allowed, hint)

    def text(self, key: str, allowed: str = "a text") -> str:
        """A text that is not empty, trimmed."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(key, allowed)
        return value.strip()

    def slug(self, key: str, example: str) -> str:
        """A name of lower-case letters, digits and _; errors name the table by it from then on."""
        allowed = f"lower-case letters, digits and _, such as {example}"
        name = self.text(key, allowed)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise self.refuse(key, allowed)
        self.called(name)
        return name

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number within bounds, both in."""
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.refuse(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, allowed: str = "a number with up to six decimals") -> Decimal:
        """A decimal number of up to six decimals."""
        if (number := as_number(self.values.get(key))) is None:
            raise self.refuse(key, allowed)
        return number

    def day(self, key: str) -> date:
        """A date."""
        value = self.values.get(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.refuse(key, "a date such as 2024-01-31, without quotes")
        return value

    def tables(self, key: str, one: str, keys: Sequence[str]) -> list[Table]:
        """The tables of a list that is not empty, each with its number as its place."""
        values = self.values.get(key)
        if not isinstance(values, list) or not values:
            raise self.refuse(key, f"a list of at least one {one}")
        inside = "" if isinstance(self, File) else f"{self.place}, "
        return [
            Table(self.file, f"{inside}{one} {number}", value, keys)
            for number, value in enumerate(values, start=1)
        ]

    def called(self, name: str) -> None:
        """Let errors name the table beside its number."""
        self.place = f"{self.place} ({name})"


class File(Table):
    """A whole file."""

    def __init__(self, file: Path, keys: Sequence[str]) -> None:
        """Read the file; numbers keep their decimals."""
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: not valid TOML: {error}") from error
        super().__init__(file, "top level", values, keys)


def as_number(value: Any) -> Decimal | None:
    """The number, if it is one that a decimal of six places and twelve digits before them holds."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if not number.is_finite() or abs(number) >= _LARGEST:
        return None
    return number if number == number.quantize(Decimal("0.000001")) else None


def near(name: Any, known: Iterable[str]) -> str:
    """A hint at the nearest right name, if one is near."""
    matches = get_close_matches(str(name), list(known), n=1)
    return f"did you mean {matches[0]}? " if matches else ""


def said(value: Any) -> str:
    """A value as an error shows it."""
    return str(value) if isinstance(value, Decimal | date) else repr(value)


def refuse_repeated(tables: Iterable[tuple[Table, Any]], what: str) -> None:
    """Refuse a value that stands twice where each may stand once."""
    seen: dict[Any, str] = {}
    for table, value in tables:
        if value in seen:
            raise table.error(f"{what} {said(value)} is that of {seen[value]}", "each one once")
        seen[value] = table.place
