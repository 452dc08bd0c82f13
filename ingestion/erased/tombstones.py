"""Tombstones: salted hashes of handles, and what of a relation they are of."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.erased.handles import NO_WORD, Handle
from ingestion.erased.rules import text_columns
from ingestion.sql import insert_rows, literal, quoted
from ingestion.whole_files import write_whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOMBSTONES = "tombstones.jsonl"
_SEPARATOR = "\x1f"
_EMAIL = r"[\p{L}\p{N}._%+''-]+@[\p{L}\p{N}-]+(?:[.][\p{L}\p{N}-]+)+"


@dataclass(frozen=True)
class Tombstone:
    """A handle that nobody can read. words, size: of a text, so that texts can be cut to it."""

    kind: str
    hash: str
    replacement: str
    words: int
    size: int
    erasure: int


class Salt:
    """The secret of a home folder that makes its hashes worthless elsewhere."""

    def __init__(self, folder: Path) -> None:
        """Read the salt; one is made, readable to its owner only, where there is none."""
        path = folder / "salt"
        if not path.exists():
            if (folder / TOMBSTONES).exists():
                raise RuntimeError(
                    f"{path} is missing, without which nobody can tell what was erased: put it "
                    "back from a backup"
                )
            write_whole(path, secrets.token_hex(32), is_private=True)
        self._text = path.read_text("ascii").strip()

    def hash(self, kind: str, scope: str, value: str) -> str:
        """The salted hash of a handle, 64 hexadecimal digits."""
        text = _SEPARATOR.join((self._text, kind, scope, value))
        return hashlib.sha256(text.encode()).hexdigest()

    def sql(self, kind: str, scope: str, value: str) -> str:
        """The same of SQL expressions."""
        start = literal(_SEPARATOR.join((self._text, kind, "")))
        return f"sha256({start} || {scope} || chr(31) || {value})"

    def pseudonym(self, kind: str, scope: str, value: str) -> str:
        """What stands in the place of an account or person."""
        return f"erased-{self.hash('pseudonym ' + kind, scope, value)[:24]}"


class Tombstones:
    """The tombstones of a home folder."""

    def __init__(self, folder: Path) -> None:
        """Read them; none where nothing was ever erased."""
        self._folder = folder
        self._path = folder / TOMBSTONES
        self.entries: list[Tombstone] = []
        if self._path.exists():
            lines = self._path.read_text("utf-8").splitlines()
            self.entries = [Tombstone(**json.loads(line)) for line in lines]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.entries)

    @property
    def salt(self) -> Salt:
        """The salt that they were made with."""
        return Salt(self._folder)

    @property
    def erasures(self) -> int:
        """How many erasures there have been."""
        return max((entry.erasure for entry in self.entries), default=0)

    def knows(self, kind: str, scope: str, value: str) -> bool:
        """Whether a handle was erased before."""
        wanted = self.salt.hash(kind, scope, value)
        return any(entry.kind == kind and entry.hash == wanted for entry in self.entries)

    def add(self, handles: Iterable[Handle], erasure: int) -> None:
        """Write tombstones for handles that have none yet, whole or not at all."""
        salt, known = self.salt, {(entry.kind, entry.hash) for entry in self.entries}
        for handle in handles:
            digest = salt.hash(handle.kind, handle.scope, handle.value)
            if (handle.kind, digest) in known:
                continue
            known.add((handle.kind, digest))
            words, size = (
                (handle.value.count(" ") + 1, len(handle.value))
                if handle.kind == "text"
                else (0, 0)
            )
            self.entries.append(
                Tombstone(handle.kind, digest, handle.replacement, words, size, erasure)
            )
        lines = (json.dumps(asdict(entry)) + "\n" for entry in self.entries)
        write_whole(self._path, "".join(lines), is_private=True)

    def handles_in(
        self, connection: DuckDBPyConnection, relation: str, columns: Sequence[str]
    ) -> list[Handle]:
        """The handles of erased accounts and people that a relation holds, found by their hash."""
        connection.execute(
            "create or replace temp table tombstones"
            " (kind varchar, hash varchar, replacement varchar, words bigint, size bigint)"
        )
        rows = [(e.kind, e.hash, e.replacement, e.words, e.size) for e in self.entries]
        insert_rows(connection, "tombstones", rows)
        kinds = {entry.kind for entry in self.entries}
        found: list[Handle] = []
        for kind, candidates in _candidates(relation, columns):
            if kind not in kinds:
                continue
            rows = connection.execute(
                f"with candidates as ({candidates})"
                " select distinct candidates.scope, candidates.value, tombstones.replacement"
                " from candidates inner join tombstones"
                f" on tombstones.kind = {literal(kind)} and tombstones.hash ="
                f" {self.salt.sql(kind, 'candidates.scope', 'candidates.value')}"
            ).fetchall()
            found += [Handle(kind, scope, value, new) for scope, value, new in rows]
        return found


def _candidates(relation: str, columns: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Kind and query of scope and value: everything in a relation that may be a handle."""
    present = set(columns)
    for column in sorted(present & {"account_id", "old_account_id", "parent_account_id"}):
        yield "account", f"select distinct '' as scope, {column} as value from {relation}"
    for kind, column in (("user", "user_id"), ("contact", "contact_id")):
        if {"account_id", column} <= present:
            yield (
                kind,
                f"select distinct account_id as scope, {column} as value from {relation}",
            )
    for kind, column in (("invoice", "invoice_id"), ("ticket", "ticket_id")):
        if column in present:
            yield kind, f"select distinct '' as scope, {column} as value from {relation}"
    texts = text_columns(columns)
    if not texts:
        return
    scope = "coalesce(account_id, '')" if "account_id" in present else "''"
    union = " union ".join(
        f"select {scope} as scope, {quoted(column)} as text from {relation}"
        f" where {quoted(column)} is not null"
        for column in texts
    )
    # an apostrophe may be part of an address or a quotation mark before it
    yield (
        "email",
        f"with found as (select unnest(regexp_extract_all(lower(text), '{_EMAIL}')) as value"
        f" from ({union}))"
        " select '' as scope, value from found"
        " union select '' as scope, ltrim(value, '.-''') as value from found",
    )
    windows = (
        f"with texts as ({union}), cut as (select distinct scope, string_split("
        f"trim(regexp_replace(lower(text), '{NO_WORD}', ' ', 'g')), ' ') as words from texts),"
        " wanted as (select distinct words as number from tombstones where kind = 'text'),"
        " places as (select scope, words, number,"
        " unnest(generate_series(1, len(words) - number + 1)) as place from cut cross join wanted),"
        " windows as (select distinct scope,"
        " array_to_string(words[place:place + number - 1], ' ') as value from places)"
        " select scope, value from windows"
        " where length(value) in (select size from tombstones where kind = 'text')"
    )
    yield "text", windows
    yield "text", f"select distinct '' as scope, value from ({windows})"
