"""From the names in a file to the names in raw: snake_case, and what to do when two are one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Names that dlt's snake_case leaves as they are. Contract columns are all of this form, so that
# reading a file of known columns does not have to import dlt.
_PLAIN = re.compile(r"[a-z]+(_[a-z]+)*")
_OURS = ("_location", "_line", "_load_number", "_dlt_id", "_dlt_load_id")


@lru_cache(maxsize=4096)
def column_name(name: str) -> str:
    """The raw column of a name as it stands in a file: `accountId`, `Account ID` → `account_id`.

    dlt's own snake_case, since dlt names the columns of the tables. Letters it would drop are kept:
    accents are taken off, other scripts are spelt by code point. A source column that has the name
    of a provenance column becomes `source_…`.
    """
    if _PLAIN.fullmatch(name):
        return name
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    stripped = "".join(map(_in_ascii, unicodedata.normalize("NFKD", name))).strip()
    column = NamingConvention(65536).normalize_identifier(stripped or "unnamed")
    return f"source{column}" if column in _OURS else column


def _in_ascii(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.combining(character):
        return ""
    return f"_u{ord(character):04x}" if character.isalnum() else "_"


def spellings(names: Iterable[str]) -> dict[str, list[str]]:
    """Raw column → the names in the file that mean it, an exact spelling first."""
    columns: dict[str, list[str]] = {}
    for name in names:
        columns.setdefault(column_name(name), []).append(name)
    return {
        column: sorted(found, key=lambda name, column=column: (name != column, name))
        for column, found in columns.items()
    }
