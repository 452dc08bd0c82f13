"""What has been erased: tombstones, and what they take out of records before these reach raw.

A tombstone is a salted hash of something that identifies an erased account or person (its id, an
e-mail address, a name), with the pseudonym that stands in its place. Nobody can read from it what
was erased, and whoever holds the salt can tell whether a record that lands is of it. Salt and
tombstones stand in `<home>/erasure/`, outside the warehouse, so that a warehouse which is built
anew keeps to them.

`Scrub` says what becomes of records. The same rules hold for records that stand in raw when
somebody is erased and for those that land afterwards, so that raw is the same either way. Bulk data
stays in the engine: through Python go only the distinct values that hold something erased.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.sources.extract import Extract, Selection
from ingestion.tables import PROVENANCE, literal, quoted
from ingestion.whole_files import write_whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# From this length on an identifier is told from any other text, wherever it stands. Shorter ones
# are looked for in texts of the account's own records only, and have to look like identifiers.
DISTINCT_LENGTH = 12
_LEAST_LENGTH = 6

TOMBSTONES = "tombstones.jsonl"
_SEPARATOR = "\x1f"
_EMAIL = r"[\p{L}\p{N}._%+''-]+@[\p{L}\p{N}-]+(?:[.][\p{L}\p{N}-]+)+"
_NO_WORD = r"[^\p{L}\p{N}]+"
# Table → kind of the handle that records of another table hang on it by.
DEPENDED_ON = {"invoices": "invoice", "tickets": "ticket"}
# Alternatives of one regular expression of the engine.
_ALTERNATIVES = 200


@dataclass(frozen=True)
class Handle:
    """Something by which an erased account or person is found, in plain text.

    kind: account, user, contact, invoice, ticket (ids, equal to the letter), email, text (an id or
    a name within a text, in words). scope: the account_id that it is of, '' where it holds for all.
    """

    kind: str
    scope: str
    value: str
    replacement: str


@dataclass(frozen=True)
class Tombstone:
    """A handle that nobody can read. words, size: of a text, so that texts can be cut to it."""

    kind: str
    hash: str
    replacement: str
    words: int
    size: int
    erasure: int


@dataclass(frozen=True)
class Rules:
    """What of a table goes.

    removed: (kind, column of the scope or None, column of the value): a record that has such a
    handle goes. keyed: column → (kind, whether it is replaced; else it is emptied). texts: columns
    in which handles are looked for. emptied: column → columns that are emptied where it changes.
    """

    removed: Sequence[tuple[str, str | None, str]] = ()
    keyed: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    texts: Sequence[str] = ()
    emptied: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What becomes of a relation: how many records go and change, and what gives the rest.

    `gone` selects those that go, `rest` the others as they are to stand; both None where nothing
    of the relation is concerned.
    """

    removed: int = 0
    changed: int = 0
    gone: str | None = None
    rest: str | None = None


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
        _insert(connection, "tombstones", rows)
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


def in_words(text: str) -> str:
    """A text as it is compared: its words in lower case, one blank between them."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def is_distinct(value: str) -> bool:
    """Whether an identifier or a name is looked for in every text."""
    return len(value) >= DISTINCT_LENGTH


def is_told_from_text(value: str) -> bool:
    """Whether it is looked for in texts of the account's own records."""
    has_digit = any(character.isdigit() for character in value)
    return is_distinct(value) or (len(value) >= _LEAST_LENGTH and (has_digit or " " in value))


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
        f"trim(regexp_replace(lower(text), '{_NO_WORD}', ' ', 'g')), ' ') as words from texts),"
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


def text_columns(columns: Sequence[str]) -> list[str]:
    """The columns in which handles are looked for: all but ids, which are compared as a whole."""
    return [
        column
        for column in columns
        if column not in PROVENANCE
        and (not column.endswith("_id") or column in ("session_id", "event_id"))
    ]


# What stays of a user, under a pseudonym: what counts of product users are made of.
_USER_STAYS = {
    *("account_id", "user_id", "product_join_date", "is_active", "deactivated_at", "updated_at"),
    *PROVENANCE,
}


def raw_rules(table: str, columns: Sequence[str]) -> Rules:
    """What of a raw table goes. `columns` are all that it has."""
    present = set(columns)
    removed: list[tuple[str, str | None, str]] = [
        ("account", None, column)
        for column in ("account_id", "old_account_id")
        if column in present
    ]
    keyed = {}
    emptied: dict[str, Sequence[str]] = {}
    if "user_id" in present:
        keyed["user_id"] = ("user", True)
    if "parent_account_id" in present:
        keyed["parent_account_id"] = ("account", False)
    if table == "users":
        keyed["contact_id"] = ("contact", False)
        emptied["user_id"] = [column for column in columns if column not in _USER_STAYS]
    elif table == "contacts":
        removed.append(("contact", "account_id", "contact_id"))
    elif table == "invoice_lines":
        removed.append(("invoice", None, "invoice_id"))
    elif table == "ticket_changes":
        removed.append(("ticket", None, "ticket_id"))
    elif table == "interactions":
        keyed["contact"] = ("contact", True)
        emptied["contact"] = ("subject", "description")
    elif table == "tickets":
        emptied["requester_email"] = ("subject",)
    elif table == "nps_responses":
        emptied["user_email"] = ("comment",)
    elif table == "unparsed_lines":
        emptied["record"] = ("record",)
    return Rules(removed, keyed, text_columns(columns), emptied)


class Scrub:
    """Takes handles out of relations of one connection."""

    def __init__(self, connection: DuckDBPyConnection, handles: Iterable[Handle]) -> None:
        """Lay the handles down as a table."""
        self._connection = connection
        unique = {(each.kind, each.scope, each.value): each for each in handles}
        self.handles = list(unique.values())
        self._replacements = {key: handle.replacement for key, handle in unique.items()}
        connection.execute(
            "create or replace temp table handles (kind varchar, scope varchar, value varchar)"
        )
        _insert(connection, "handles", [(h.kind, h.scope, h.value) for h in self.handles])
        self._patterns = _prefilters(self.handles)
        self._searches = {"": Search(self.handles, "")}
        self._relations = 0

    def holds(self, kind: str) -> bool:
        """Whether there are handles of a kind."""
        return any(handle.kind == kind for handle in self.handles)

    def search(self, account_id: str | None) -> Search:
        """What finds handles in texts of records of an account."""
        scope = account_id or ""
        if scope not in self._searches:
            self._searches[scope] = Search(self.handles, scope)
        return self._searches[scope]

    def outcome(
        self, relation: str, columns: Sequence[str], rules: Rules, order: str | None = None
    ) -> Outcome:
        """What becomes of a relation. `order`: a column that keeps its rows in their order."""
        if not self.handles:
            return Outcome()
        condition = self._condition(rules)
        maps = self._maps(relation, columns, rules)
        removed = self._count(f"{relation} as records where {condition}") if condition else 0
        if not removed and not maps:
            return Outcome()
        joins, selected = self._joined(columns, rules, maps)
        stays = f"not coalesce({condition}, false)" if condition else "true"
        touched = " or ".join(f"{name}.new is not null" for name in maps.values()) or "false"
        source = f"{relation} as records{joins}"
        changed = self._count(f"{source} where {stays} and ({touched})") if maps else 0
        if not removed and not changed:
            return Outcome()
        ordered = f" order by records.{order}" if order else ""
        return Outcome(
            removed,
            changed,
            f"select records.* from {relation} as records where {condition or 'false'}",
            f"select {selected} from {source} where {stays}{ordered}",
        )

    def _count(self, source: str) -> int:
        row = self._connection.execute(f"select count(*) from {source}").fetchone()
        return int(row[0]) if row else 0

    def columns_that_hold(self, relation: str, columns: Sequence[str]) -> list[str]:
        """The columns in which a handle stands that is looked for in every text."""
        found = []
        for column in columns:
            text = f"cast({quoted(column)} as varchar)"
            for pattern in self._patterns:
                rows = self._connection.execute(
                    f"select distinct {text} from {relation}"
                    f" where regexp_matches({text}, {literal(pattern)}, 'i')"
                ).fetchall()
                if any(self.search("").found_in(value) for (value,) in rows):
                    found.append(column)
                    break
        return found

    def _condition(self, rules: Rules) -> str | None:
        """Which records go, or None where none can."""
        parts = []
        for kind, scope, value in rules.removed:
            if not self.holds(kind):
                continue
            of_kind = f"from handles where kind = {literal(kind)}"
            if scope is None:
                parts.append(f"records.{quoted(value)} in (select value {of_kind})")
            else:
                parts.append(
                    f"(records.{quoted(scope)}, records.{quoted(value)})"
                    f" in (select (scope, value) {of_kind})"
                )
        return f"({' or '.join(parts)})" if parts else None

    def _maps(self, relation: str, columns: Sequence[str], rules: Rules) -> dict[str, str]:
        """Column → the table that says what its values become, for columns that change."""
        maps = {}
        texts = self._columns_to_search(relation, [c for c in columns if c in rules.texts])
        for column in columns:
            rows = []
            if column in rules.keyed:
                rows += self._keyed_values(relation, column, columns, *rules.keyed[column])
            if column in texts:
                known = {(scope, value) for scope, value, _ in rows}
                found = self._text_values(relation, column, columns)
                rows += [row for row in found if (row[0], row[1]) not in known]
            if rows:
                maps[column] = self._map(relation, column, rows)
        return maps

    def _keyed_values(
        self, relation: str, column: str, columns: Sequence[str], kind: str, is_replaced: bool
    ) -> list[tuple[str, Any, Any]]:
        if not self.holds(kind):
            return []
        is_scoped = any(handle.scope for handle in self.handles if handle.kind == kind)
        if is_scoped and "account_id" not in columns:
            return []
        key = "account_id" if is_scoped else "''"
        found = self._connection.execute(
            f"select distinct {key}, {quoted(column)} from {relation} where ({key},"
            f" {quoted(column)}) in (select (scope, value) from handles where kind = ?)",
            [kind],
        ).fetchall()
        if is_scoped:
            return [
                (scope, value, self._replacements[kind, scope, value] if is_replaced else None)
                for scope, value in found
            ]
        values = {value: self._replacements[kind, "", value] for _, value in found}
        scopes = _scopes(self._connection, relation, column, columns, list(values))
        return [(scope, value, values[value] if is_replaced else None) for scope, value in scopes]

    def _columns_to_search(self, relation: str, columns: Sequence[str]) -> set[str]:
        """The columns that may hold a handle, by one look at the whole relation: most hold none."""
        if not columns or not self._patterns:
            return set()
        looked_at = ", ".join(f"bool_or({self._may_hold(column)})" for column in columns)
        row = self._connection.execute(f"select {looked_at} from {relation}").fetchone() or ()
        return {column for column, holds in zip(columns, row, strict=True) if holds}

    def _may_hold(self, column: str) -> str:
        """The condition that a value may hold a handle, as SQL."""
        text = f"cast({quoted(column)} as varchar)"
        return " or ".join(
            f"regexp_matches({text}, {literal(pattern)}, 'i')" for pattern in self._patterns
        )

    def _text_values(
        self, relation: str, column: str, columns: Sequence[str]
    ) -> list[tuple[str, Any, Any]]:
        scope = "coalesce(account_id, '')" if "account_id" in columns else "''"
        found = self._connection.execute(
            f"select distinct {scope}, {quoted(column)} from {relation}"
            f" where {self._may_hold(column)}"
        ).fetchall()
        rows = [(account, value, self.search(account).scrubbed(value)) for account, value in found]
        return [row for row in rows if row[1] != row[2]]

    def _map(self, relation: str, column: str, rows: list[tuple[str, Any, Any]]) -> str:
        """Lay down what the values of a column become."""
        self._relations += 1
        name = f"scrubbed_{self._relations}"
        self._connection.execute(
            f"create or replace temp table {name} as"
            f" select '' as scope, {quoted(column)} as old, {quoted(column)} as new,"
            f" false as is_null from {relation} limit 0"
        )
        _insert(
            self._connection,
            name,
            [(scope, old, old if new is None else new, new is None) for scope, old, new in rows],
        )
        return name

    def _joined(
        self, columns: Sequence[str], rules: Rules, maps: Mapping[str, str]
    ) -> tuple[str, str]:
        scope = "coalesce(records.account_id, '')" if "account_id" in columns else "''"
        joins = "".join(
            f" left join {name} on {name}.scope = {scope} and {name}.old = records.{quoted(column)}"
            for column, name in maps.items()
        )
        emptied: dict[str, list[str]] = {}
        for trigger, names in rules.emptied.items():
            if trigger in maps:
                for name in names:
                    emptied.setdefault(name, []).append(f"{maps[trigger]}.new is not null")
        selected = []
        for column in columns:
            value = f"records.{quoted(column)}"
            if column in maps:
                name = maps[column]
                value = (
                    f"case when {name}.is_null then null"
                    f" when {name}.new is not null then {name}.new else {value} end"
                )
            if column in emptied:
                value = f"case when {' or '.join(emptied[column])} then null else {value} end"
            selected.append(f"{value} as {quoted(column)}")
        return joins, ", ".join(selected)


def _scopes(
    connection: DuckDBPyConnection,
    relation: str,
    column: str,
    columns: Sequence[str],
    values: list[str],
) -> list[tuple[str, str]]:
    """The values of a column with the accounts of the records that have them."""
    scope = "coalesce(account_id, '')" if "account_id" in columns else "''"
    return connection.execute(
        f"select distinct {scope}, {quoted(column)} from {relation}"
        f" where {quoted(column)} in (select unnest(?::varchar[]))",
        [values],
    ).fetchall()


class Search:
    """Finds the handles that count in texts of one account, and puts their replacements there."""

    def __init__(self, handles: Iterable[Handle], scope: str | None) -> None:
        """Take e-mail addresses, and texts of all accounts and of this one (None: of any)."""
        self._emails: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        for handle in handles:
            if handle.kind == "email":
                self._emails[handle.value] = handle.replacement
            elif handle.kind == "text" and (scope is None or handle.scope in ("", scope)):
                self._texts[handle.value] = handle.replacement
        self._pattern = self._compiled()

    def _compiled(self) -> re.Pattern[str] | None:
        longest_first = sorted(self._texts, key=lambda value: (-len(value), value))
        texts = [r"[\W_]+".join(map(re.escape, value.split(" "))) for value in longest_first]
        emails = sorted(map(re.escape, self._emails), key=lambda value: (-len(value), value))
        parts = []
        if emails:
            after = r"(?![^\W_])(?![.-][^\W_])"
            parts.append(rf"(?P<email>(?<![^\W_])(?<![.%+_-])(?:{'|'.join(emails)}){after})")
        if texts:
            parts.append(rf"(?P<text>(?<![^\W_])(?:{'|'.join(texts)})(?![^\W_]))")
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None

    def scrubbed(self, value: Any) -> Any:
        """The value without what was erased; a list item by item, a dictionary value by value."""
        if isinstance(value, list):
            return [self.scrubbed(item) for item in value]
        if isinstance(value, dict):
            return {key: self.scrubbed(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        return self._pattern.sub(self._replaced, value) if self._pattern else value

    def found_in(self, text: str) -> list[str]:
        """What stands in a text."""
        if not self._pattern:
            return []
        return [match.group() for match in self._pattern.finditer(text)]

    def _replaced(self, match: re.Match[str]) -> str:
        if match.lastgroup == "email":
            return self._emails[match.group().lower()]
        return self._texts[in_words(match.group())]


def _prefilters(handles: Iterable[Handle]) -> list[str]:
    """Regular expressions of the engine that find at least the texts that hold a handle."""
    found = [
        _NO_WORD.join(re.escape(word) for word in handle.value.split(" "))
        if handle.kind == "text"
        else re.escape(handle.value)
        for handle in handles
        if handle.kind in ("email", "text")
    ]
    unique = sorted(set(found))
    return [
        "|".join(unique[start : start + _ALTERNATIVES])
        for start in range(0, len(unique), _ALTERNATIVES)
    ]


def _insert(connection: DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows as one list per column: bound one by one each would take a millisecond."""
    if not rows:
        return
    kinds = [row[1] for row in connection.execute(f"describe {table}").fetchall()]
    lists = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
    connection.execute(
        f"insert into {table} select {lists}",
        [[row[position] for row in rows] for position in range(len(kinds))],
    )


def scrub_extract(
    extract: Extract, folder: Path, tombstones: Tombstones, stage_name: str = "scrubbed"
) -> None:
    """Take what was erased out of what is about to be loaded.

    Every selection with something erased is written anew into `folder`; the others stay. Files get
    the number of their records that are left out. What hangs on such records (lines of invoices,
    changes of tickets) may land in a later load and gets tombstones of its own.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        staged = _staged(connection, extract, folder, stage_name)
        handles = [
            handle
            for _, relation, columns in staged
            for handle in tombstones.handles_in(connection, relation, columns)
        ]
        if not handles:
            return
        handles += _dependants(connection, staged, handles)
        tombstones.add(handles, tombstones.erasures)
        scrub = Scrub(connection, handles)
        selections: dict[str, list[Selection]] = {}
        removed: dict[tuple[str, str], int] = {}
        for number, (table, relation, columns) in enumerate(staged, start=1):
            outcome = scrub.outcome(relation, columns, raw_rules(table, columns))
            if outcome.rest is None:
                path, rows = relation, count_rows(connection, relation)
            else:
                target = folder / f"{stage_name}_rest_{number}.parquet"
                rows = write_parquet(connection, outcome.rest, target)
                path = f"read_parquet({literal(str(target))})"
                for location, count in connection.execute(
                    f"select _location, count(*) from ({outcome.gone}) group by all"
                ).fetchall():
                    removed[table, location] = removed.get((table, location), 0) + count
            selected = ", ".join(map(quoted, columns))
            selections.setdefault(table, []).append(
                Selection(f"select {selected} from {path}", rows)
            )
    extract.selections = selections
    extract.files = [
        replace(file, erased_rows=removed.get((file.entity, file.location), 0))
        for file in extract.files
    ]


def _staged(
    connection: DuckDBPyConnection, extract: Extract, folder: Path, stage_name: str
) -> list[tuple[str, str, list[str]]]:
    """Every selection as a Parquet file, since it is looked at more than once: table, relation,
    columns."""
    staged = []
    for table, selections in extract.selections.items():
        for selection in selections:
            target = folder / f"{stage_name}_{len(staged) + 1}.parquet"
            write_parquet(connection, selection.query, target)
            relation = f"read_parquet({literal(str(target))})"
            columns = [row[0] for row in connection.execute(f"describe from {relation}").fetchall()]
            staged.append((table, relation, columns))
    return staged


def _dependants(
    connection: DuckDBPyConnection,
    staged: Iterable[tuple[str, str, list[str]]],
    handles: Iterable[Handle],
) -> list[Handle]:
    """Handles of the invoices and tickets of erased accounts among what is staged."""
    accounts = {handle.value: handle.replacement for handle in handles if handle.kind == "account"}
    found = []
    for table, relation, columns in staged:
        kind = DEPENDED_ON.get(table)
        if kind and accounts and "account_id" in columns:
            rows = connection.execute(
                f"select distinct {kind}_id, account_id from {relation}"
                " where account_id in (select unnest(?::varchar[]))",
                [list(accounts)],
            ).fetchall()
            found += [
                Handle(kind, "", value, accounts[account_id]) for value, account_id in rows if value
            ]
    return found


def count_rows(connection: DuckDBPyConnection, relation: str) -> int:
    """The rows of a relation."""
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


def write_parquet(connection: DuckDBPyConnection, query: str, target: Path) -> int:
    """Write what a query gives; the number of rows."""
    row = connection.execute(
        f"copy ({query}) to {literal(str(target))} (format parquet, compression lz4)"
    ).fetchone()
    return int(row[0]) if row else 0
