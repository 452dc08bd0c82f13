"""Columns that come otherwise than they used to: new, missing, renamed or retyped.

Judged by `run.landed_columns`, where ingestion keeps what the columns of each file looked like, so
that a night reads a few rows per file and nothing of raw. Only where something has drifted are the
first records of two loads looked at, to say how it reads now.
"""

# ruff: noqa: S608 (the names in the SQL of this module are our own, or quoted)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import duckdb

from expectations.frames import quoted

# Loads of an entity that are looked at: those before are history, whatever came of them.
_LOADS = 30
# A share above which a column is one of its kind, and one below which it no longer is.
_MOST, _FEW = 0.9, 0.5
# Values that have to be there before their share means anything, and that have to be expected
# where a column is missing from records that may leave out what they have no value for.
_ENOUGH = 5
_EXPECTED = 10
# From this likeness of names, or share of common values, on two columns may be one.
_ALIKE = 0.6
_COMMON = 0.5
_LOOKED_AT = 2000

_NUMBERS = frozenset({"0 or 1", "number", "epoch milliseconds"})
_FLOATED = frozenset({"number ending in .0", "epoch milliseconds ending in .0"})
_MOMENTS = frozenset(
    {
        "epoch milliseconds",
        "epoch milliseconds ending in .0",
        "date",
        "timestamp",
        "timestamp without an offset",
    }
)
_OPEN = frozenset({"list or object"})

# Type of a column in staging → forms of value that parse. Of texts only lists and objects are
# strange; identifiers are looked at more closely.
PARSED: Mapping[str, frozenset[str]] = {
    "instant": _MOMENTS,
    "date": _MOMENTS,
    "money": _NUMBERS | _FLOATED | {"decimal number"},
    "number": _NUMBERS | _FLOATED | {"decimal number"},
    "rate": _NUMBERS | _FLOATED | {"decimal number"},
    "milliseconds": frozenset({"0 or 1", "number", "number ending in .0", "decimal number"}),
    "whole": _NUMBERS | _FLOATED,
    "boolean": frozenset({"0 or 1", "true or false"}),
    "currency": frozenset({"three letters"}),
    "json": _OPEN | _NUMBERS | _FLOATED | {"decimal number"},
}

_NOUNS = {
    "instant": "timestamps",
    "date": "dates",
    "money": "amounts",
    "number": "numbers",
    "rate": "rates",
    "milliseconds": "milliseconds",
    "whole": "whole numbers",
    "boolean": "true or false",
    "currency": "currency codes",
    "json": "lists or objects",
    "text": "plain values",
}

# The types of the contract's columns, as staging has them; all others are text.
TYPES: Mapping[str, str] = {
    column: type_
    for type_, columns in {
        "instant": "added_at assigned_at changed_at closed_at completed_at created_at"
        " deactivated_at ended_at occurred_at paid_at started_at submitted_at triggered_at"
        " unassigned_at updated_at",
        "date": "due_date end_date expected_close_date expiration_date inactive_time join_date"
        " product_join_date rate_date recorded_on renewal_date start_date",
        "money": "amount current_mrr total_revenue",
        "number": "csm_score current_health_score current_nps_score progress value",
        "rate": "rate",
        "milliseconds": "active_duration time_spent",
        "whole": "cycle_length employees line_number score total",
        "boolean": "can_be_assigned_accounts is_active is_churned is_completed is_deleted is_end"
        " is_failed is_primary is_recurring is_renewal is_won",
        "currency": "currency from_currency to_currency",
        "json": "assigned_csms custom_event_dimensions custom_label_dimensions"
        " custom_value_dimensions details",
    }.items()
    for column in columns.split()
}


@dataclass(frozen=True)
class Drift:
    """A column that comes otherwise, and the sentence that says so; a key's one blocks."""

    subject: str
    says: str
    blocks: bool = False


@dataclass
class _Load:
    """A column in the files of one load: its values by form, records, and the first file."""

    number: int
    location: str
    forms: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def filled(self) -> int:
        return sum(count for form, count in self.forms.items() if form != "nothing")

    def of(self, forms: Iterable[str]) -> int:
        return sum(self.forms.get(form, 0) for form in forms)


@dataclass
class _Entity:
    """The loads of an entity, oldest first, with its columns in each."""

    name: str
    records: dict[int, int] = field(default_factory=dict)
    locations: dict[int, str] = field(default_factory=dict)
    has_header: set[int] = field(default_factory=set)
    columns: dict[str, dict[int, _Load]] = field(default_factory=dict)

    def loads(self) -> list[int]:
        return sorted(self.records)


def drifts(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    contract: Mapping[str, Sequence[str]],
    keys: Mapping[str, Sequence[str]],
    accepted: Iterable[str],
) -> list[Drift]:
    """What has drifted in a domain, by entity and column. `accepted` names columns to leave out.

    `keys` maps entities to the columns that two records are versions of one another by: where one
    of those is retyped the night has to stop, since nothing would find its record any more.
    """
    found = []
    entities = _read(connection, domain)
    columns = _columns(connection, domain)
    for name, agreed in contract.items():
        # an entity of which nothing was kept may have columns that nobody agreed on all the same
        entity = entities.get(name, _Entity(name))
        unknown = [column for column in columns[name] if column not in agreed]
        missing = {column: since for column in agreed if (since := _missing_since(entity, column))}
        renamed = _renamed(connection, domain, entity, missing, unknown)
        for column in agreed:
            is_key = column in keys.get(name, ())
            if number := _retyped_in(entity, column, is_key):
                found.append(_says_retyped(connection, domain, entity, column, number, is_key))
        for column, since in missing.items():
            if column in renamed:
                found.append(_says_renamed(domain, entity, column, renamed[column], since))
            else:
                found.append(_says_missing(domain, entity, column, since))
        for column in unknown:
            if column not in renamed.values():
                found.append(_says_new(domain, entity, column))
    left_out = set(accepted)
    return sorted(
        (drift for drift in found if drift.subject not in left_out), key=lambda one: one.subject
    )


def _read(connection: duckdb.DuckDBPyConnection, domain: str) -> dict[str, _Entity]:
    """What is kept of the last loads; of a file that was loaded again only the latest."""
    known = connection.execute(
        "select count(*) from duckdb_tables() where database_name = current_database()"
        " and schema_name = 'run' and table_name = 'landed_columns'"
    ).fetchone()
    entities: dict[str, _Entity] = {}
    if not known or not known[0]:
        return entities
    files = f"""
        select entity, location, max(load_number) as load_number,
            any_value(format) as format, arg_max(rows_read - unparsed_rows, load_number) as records
        from raw_{domain}.landed_files
        group by entity, location
        qualify dense_rank() over (partition by entity order by max(load_number) desc) <= {_LOADS}
    """
    for name, number, location, records, has_header in connection.execute(
        f"""
        select entity, load_number, min(location), sum(records)::bigint,
            bool_or(format not like 'jsonl%')
        from ({files}) where records > 0 group by all order by all
        """
    ).fetchall():
        entity = entities.setdefault(name, _Entity(name))
        entity.records[number] = records
        entity.locations[number] = location
        if has_header:
            entity.has_header.add(number)
    for name, column, number, location, form, records in connection.execute(
        f"""
        select noted.entity, noted.column_name, noted.load_number, min(noted.location), noted.form,
            sum(noted.records)::bigint
        from run.landed_columns as noted
        inner join ({files}) as files using (entity, location, load_number)
        where noted.domain = ?
        group by all
        order by all
        """,
        [domain],
    ).fetchall():
        entity = entities[name]
        loads = entity.columns.setdefault(column, {})
        load = loads.setdefault(number, _Load(number, location))
        load.location = min(load.location, location)
        load.forms[form] += records
    noted = {
        name: {number for loads in entity.columns.values() for number in loads}
        for name, entity in entities.items()
    }
    for name, entity in entities.items():  # loads of before the table was kept, or cut short
        entity.records = {n: records for n, records in entity.records.items() if n in noted[name]}
    return entities


def _columns(connection: duckdb.DuckDBPyConnection, domain: str) -> dict[str, list[str]]:
    """The columns of every raw table but those of provenance, in their order."""
    found: dict[str, list[str]] = defaultdict(list)
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns()"
        " where database_name = current_database() and schema_name = ?"
        " and not starts_with(column_name, '_') order by table_name, column_index",
        [f"raw_{domain}"],
    ).fetchall():
        found[table].append(column)
    return found


def _missing_since(entity: _Entity, column: str) -> int | None:
    """The first load of those, up to the newest, in which a column that used to come does not."""
    loads = entity.loads()
    of_column = entity.columns.get(column, {})
    with_it = [number for number in loads if number in of_column and of_column[number].filled]
    if not with_it or with_it[-1] == loads[-1]:
        return None
    before = [number for number in loads if number <= with_it[-1]]
    since = [number for number in loads if number > with_it[-1]]
    if len(with_it) < _FEW * len(before):
        return None
    share = _filled_share(of_column.values())
    records = sum(entity.records[number] for number in since)
    stands_there = any(number in of_column for number in since)
    if stands_there:  # of a column that is often empty it means nothing
        is_missing = share >= _MOST and share * records >= _EXPECTED
    else:
        is_missing = bool(entity.has_header & set(since)) or share * records >= _EXPECTED
    return since[0] if is_missing else None


def _filled_share(loads: Iterable[_Load]) -> float:
    filled = records = 0
    for load in loads:
        if load.filled:
            filled += load.filled
            records += sum(load.forms.values())
    return filled / records if records else 0.0


def _families(column: str, is_key: bool) -> list[frozenset[str]]:
    """Groups of forms: values of one group are of one type, those of another are not."""
    if type_ := TYPES.get(column):
        return [PARSED[type_]]
    if is_key or column.endswith("_id"):
        return [_NUMBERS, _FLOATED, frozenset({"text", "three letters", "date"})]
    return [frozenset(_all_forms() - _OPEN)]


def _all_forms() -> frozenset[str]:
    others = {"text", "three letters", "true or false", "decimal number"}
    return _NUMBERS | _FLOATED | _MOMENTS | _OPEN | others


def _retyped_in(entity: _Entity, column: str, is_key: bool) -> int | None:
    """The load since which, or of a key in which, values are of another type than before."""
    loads = [load for load in _in_order(entity, column) if load.filled >= _ENOUGH]
    before: dict[str, int] = defaultdict(int)
    retyped: list[_Load] = []
    for load in loads:
        filled = sum(before.values())
        family = next(
            (f for f in _families(column, is_key) if _in(f, before) >= _MOST * filled), None
        )
        if filled >= _ENOUGH and family and load.of(family) <= _FEW * load.filled:
            retyped.append(load)
            continue
        if not is_key:
            retyped = []
        for form, count in load.forms.items():
            before[form] += count if form != "nothing" else 0
    return retyped[0].number if retyped else None


def _in(family: Iterable[str], forms: Mapping[str, int]) -> int:
    return sum(forms.get(form, 0) for form in family)


def _in_order(entity: _Entity, column: str) -> list[_Load]:
    loads = entity.columns.get(column, {})
    return [loads[number] for number in sorted(loads)]


def _renamed(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    entity: _Entity,
    missing: Mapping[str, int],
    unknown: Sequence[str],
) -> dict[str, str]:
    """Missing columns and the unknown ones that came in their places, the likeliest first."""
    pairs = []
    for old, since in missing.items():
        for new in unknown:
            loads = _in_order(entity, new)
            if not loads or loads[0].number != since or not _same_type(entity, old, loads[0]):
                continue
            likeness = _likeness(old, new)
            last = max(load.number for load in _in_order(entity, old) if load.filled)
            common = _common_values(connection, domain, entity.name, (old, last), (new, since))
            if likeness >= _ALIKE or common >= _COMMON:
                pairs.append((-max(likeness, common), old, new))
    renamed: dict[str, str] = {}
    for _, old, new in sorted(pairs):
        if old not in renamed and new not in renamed.values():
            renamed[old] = new
    return renamed


def _likeness(old: str, new: str) -> float:
    """How alike two names are, from 0 to 1; one that is the other with more words is the same."""
    words, others = set(old.split("_")), set(new.split("_"))
    return 1.0 if words <= others or others <= words else SequenceMatcher(None, old, new).ratio()


def _same_type(entity: _Entity, old: str, new: _Load) -> bool:
    """Whether most values of the new column are of forms that the old one had."""
    forms = {form for load in _in_order(entity, old) for form in load.forms} - {"nothing"}
    return new.filled > 0 and new.of(forms) >= _MOST * new.filled


def _common_values(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    entity: str,
    old: tuple[str, int],
    new: tuple[str, int],
) -> float:
    """Share of the new column's different values that the old one had, by the first records."""
    old_values, new_values = (
        f"select distinct {quoted(column)} as value from raw_{domain}.{quoted(entity)}"
        f" where _load_number = {number:d} and _line <= {_LOOKED_AT} and {quoted(column)} != ''"
        for column, number in (old, new)
    )
    row = connection.execute(
        f"select count(*) filter (value in ({old_values})) / nullif(count(*), 0)"
        f" from ({new_values})"
    ).fetchone()
    return (row[0] if row else None) or 0.0


def _reads_like(
    connection: duckdb.DuckDBPyConnection, domain: str, entity: str, column: str, number: int
) -> str:
    """How most values of a load read, with 9 for digits and a for letters: no value is told."""
    name = quoted(column)
    row = connection.execute(
        f"""
        select
            left(
                regexp_replace(regexp_replace({name}, '\\d', '9', 'g'), '\\p{{L}}', 'a', 'g'), 24
            ) as shape
        from raw_{domain}.{quoted(entity)}
        where _load_number = {number:d} and _line <= {_LOOKED_AT} and {name} != ''
        group by shape
        order by count(*) desc, shape
        limit 1
        """
    ).fetchone()
    return str(row[0]) if row else ""


def _says_retyped(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    entity: _Entity,
    column: str,
    number: int,
    is_key: bool,
) -> Drift:
    load = entity.columns[column][number]
    before = [one for one in _in_order(entity, column) if one.number < number and one.filled]
    family = next(
        family
        for family in _families(column, is_key)
        if sum(one.of(family) for one in before) >= _MOST * sum(one.filled for one in before)
    )
    type_ = TYPES.get(column, "text")
    now = _reads_like(connection, domain, entity.name, column, number)
    then = _reads_like(connection, domain, entity.name, column, before[-1].number)
    share = 100 * (load.filled - load.of(family)) / load.filled
    if is_key or column.endswith("_id"):
        effect = "records no longer find those that they belong to"
    elif column in TYPES:
        effect = "records with such a value are rejected and in no figure"
    else:
        effect = "figures and lists show these texts as they are"
    noun = _NOUNS[type_] if column in TYPES else ("ids" if is_key else "values")
    return Drift(
        f"{domain}.{entity.name}.{column}",
        f"retyped since {load.location}: {share:.0f} % of its {noun} read like '{now}', before"
        f" like '{then}'; {effect}. Have the source write it as before and land the files again"
        + _or_accept(domain, entity.name, column),
        blocks=is_key,
    )


def _says_renamed(domain: str, entity: _Entity, old: str, new: str, since: int) -> Drift:
    return Drift(
        f"{domain}.{entity.name}.{old}",
        f"looks renamed to {new} since {entity.locations[since]}: records of these files have no"
        f" {old}, and {new} is kept in raw but in no figure. Have the source call it {old} again"
        " and land the files again" + _or_accept(domain, entity.name, old),
    )


def _says_missing(domain: str, entity: _Entity, column: str, since: int) -> Drift:
    is_emptied = any(load.number >= since for load in _in_order(entity, column))
    what = "without a value" if is_emptied else "missing"
    return Drift(
        f"{domain}.{entity.name}.{column}",
        f"{what} since {entity.locations[since]}: the newest version of a record has none, and"
        f" figures by {column} lose it. Ask the source for it and land the files again"
        + _or_accept(domain, entity.name, column),
    )


def _says_new(domain: str, entity: _Entity, column: str) -> Drift:
    loads = _in_order(entity, column)
    since = f" since {loads[0].location}" if loads else ""
    return Drift(
        f"{domain}.{entity.name}.{column}",
        f"new{since}: not agreed, kept in raw and in no figure. Correct its name where it was"
        " meant for another column" + _or_accept(domain, entity.name, column),
    )


def _or_accept(domain: str, entity: str, column: str) -> str:
    return f"; where it is meant, add {domain}.{entity}.{column} to accepted_drift."
