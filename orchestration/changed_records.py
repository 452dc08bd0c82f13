"""Which landed records are others than they were when a publish was made.

State is compared with state: the version of a key that held for the publish before, and the one
that holds now. So a complete extract that repeats a thousand records has changed none of them. A
record was not there yet when its file, in its version, is not in the `audit_loads` of that publish,
or when it was dated after that publish's last full day.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from ingestion.entities import ENTITIES
from ingestion.sql import literal, quoted
from orchestration.comparison import Side

# Accounts also count by what earlier versions of them said: by day, for health and CSMs.
OLDER_ACCOUNTS = "crm.accounts, an older version"
NO_ACCOUNT = "(no account)"

# Columns that enter no figure: what the source claims of ours, and when it was said.
_NO_FIGURES = {"updated_at", "current_mrr", "current_health_score", "current_nps_score"}
_WITHOUT_ACCOUNT = {"csms", "csm_aliases", "fx_rates"}
# Entities in which account_id is what the record is about, not whom it counts under.
_OF_ACCOUNTS = {"accounts", "account_aliases"}
# Records that are named by file and line only: their key may say who a person is.
_UNNAMED = {"contacts", "events", "nps_responses", "users"}


def write_changed_records(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side, entities: Iterable[str]
) -> None:
    """Make `temp.changed`: one row per record of `entities` that is another than it was.

    Columns: entity (`domain.name`), account_id (NULL where the entity has none), record (its key),
    change (appeared, changed, vanished), changed_columns, said (what changed, from what to what),
    location and line. The warehouse is attached as `warehouse`.
    """
    _write_new_files(connection, before, after)
    connection.execute(
        """
        create or replace temp table changed (
            entity varchar, account_id varchar, record varchar, change varchar,
            changed_columns varchar[], said varchar[], location varchar, line bigint
        )
        """
    )
    for one in sorted(entities):
        domain, _, entity = one.partition(".")
        if entity not in ENTITIES.get(domain, {}):
            continue
        make = _changed_events if entity == "events" else _changed
        connection.execute(f"insert into temp.changed {make(domain, entity, before)}")


def _write_new_files(connection: duckdb.DuckDBPyConnection, before: Side, after: Side) -> None:
    """Make `temp.new_files`: versions of files that the publish before did not know.

    A warehouse that was built anew numbers versions anew: a version is known by what it holds.
    """
    connection.execute(
        f"""
        create or replace temp table new_files as
        with
        known as (
            select domain, location, content_hash,
                max(file_version) over (partition by domain, location) as versions
            from {before.table("audit_loads")}
        )
        select loads.domain || '.' || loads.entity as entity, loads.location, loads.file_version
        from {after.table("audit_loads")} as loads
        where not exists (
            select 1
            from known
            where
                known.domain = loads.domain
                and known.location = loads.location
                and known.content_hash = loads.content_hash
                and known.versions >= loads.file_version
        )
        """
    )


def _changed(domain: str, entity: str, before: Side) -> str:
    """The query of the records of an entity with versions."""
    contract = ENTITIES[domain][entity]
    name, since = f"{domain}.{entity}", f"date '{before.as_of}'"
    compared = [
        column
        for column in contract.columns
        if column not in contract.key and column not in _NO_FIGURES
    ]
    positions = range(len(compared))
    differs = [f"was.c{position} is distinct from now.c{position}" for position in positions]
    columns = [
        f"case when {differs[position]} then {literal(compared[position])} end"
        for position in positions
    ]
    values = [
        f"case when {differs[position]} then concat({literal(compared[position])},"
        f" case when typeof(was.c{position}) != 'VARCHAR' then concat("
        f"' ', coalesce(cast(was.c{position} as varchar), 'none'),"
        f" ' → ', coalesce(cast(now.c{position} as varchar), 'none')) end) end"
        for position in positions
    ]
    contents = "".join(
        f", {_said(entity, column)} as c{position}" for position, column in enumerate(compared)
    )
    deleted_by_flag = "coalesce(is_deleted, false)" if entity == "accounts" else "false"
    rates_of_the_past = (
        f"and try_cast(split_part(key, ' ', 1) as date) < {since}" if entity == "fx_rates" else ""
    )
    more = ""
    if entity == "account_aliases":  # concerns the old account as well
        more = (
            f"union all select {literal(name)}, key, {_SHOWN_COLUMNS}"
            " from compared where key != account"
        )
    if entity == "accounts":
        more = (
            f"union all select {literal(OLDER_ACCOUNTS)}, account, key, 'appeared', null, null,"
            " location, line from records where is_new and record_status = 'superseded'"
        )
    return f"""
        with
        records as (
            select
                {_account(entity)} as account,
                {_key(domain, entity)} as key,
                staged.location,
                line,
                load_number,
                record_status,
                version_at,
                fresh.location is not null as is_new,
                fresh.location is not null or coalesce(version_date >= {since}, false) as is_later,
                deleted_on is not null or {deleted_by_flag} as is_gone,
                coalesce(deleted_on < {since} and deleted_on in (
                    select extract_date from {before.table("audit_loads")}
                    where domain = {literal(domain)} and entity = {literal(entity)}
                ), false) or {deleted_by_flag} as was_gone
                {contents}
            from warehouse.staging.stg_native__{entity} as staged
            left join temp.new_files as fresh
                on
                    fresh.entity = {literal(name)}
                    and staged.location = fresh.location
                    and staged.file_version = fresh.file_version
            where
                record_status != 'rejected'
                and (record_status != 'superseded' or reason is null)
                and not is_dated_after
        ),
        touched as (
            select distinct key from records
            where is_later or is_gone or location in (select location from temp.new_files)
        ),
        held as (from records semi join touched using (key)),
        last_before as (
            from held
            where not is_later
            qualify row_number() over (
                partition by key
                order by version_at desc nulls last, load_number desc, location desc, line desc
            ) = 1
        ),
        was as (from last_before where not was_gone),
        now as (
            from held
            where record_status in ('current', 'unattributed')
            qualify row_number() over (partition by key order by load_number, location, line) = 1
        ),
        compared as (
            select
                key,
                coalesce(now.account, was.account) as account,
                {"'a record'" if entity in _UNNAMED else "key"} as record,
                case
                    when coalesce(now.is_gone, true) then 'vanished'
                    when was.location is null then 'appeared'
                    else 'changed'
                end as change,
                case when change = 'changed' then
                    list_filter([{", ".join(columns) or "null"}], lambda one: one is not null)
                end as changed_columns,
                case when change = 'changed' then
                    list_filter([{", ".join(values) or "null"}], lambda one: one is not null)
                end as said,
                coalesce(now.location, was.location) as location,
                coalesce(now.line, was.line) as line
            from was
            full outer join now using (key)
            where
                case
                    when was.location is null then not now.is_gone
                    when coalesce(now.is_gone, true) then true
                    else {" or ".join(differs) or "false"}
                end
                {rates_of_the_past}
        )
        select {literal(name)}, account, {_SHOWN_COLUMNS} from compared {more}
    """


_SHOWN_COLUMNS = "record, change, changed_columns, said, location, line"


def _changed_events(domain: str, entity: str, before: Side) -> str:
    """The query of the events that came, or that a file landed again has withdrawn."""
    name = literal(f"{domain}.{entity}")
    return f"""
        select
            {name},
            coalesce(staged.account_id, staged.source_account_id, '{NO_ACCOUNT}'),
            'a record',
            case when staged.record_status = 'superseded' then 'vanished' else 'appeared' end,
            null,
            null,
            staged.location,
            staged.line
        from warehouse.staging.stg_native__{entity} as staged
        left join temp.new_files as fresh
            on
                fresh.entity = {name}
                and staged.location = fresh.location
                and staged.file_version = fresh.file_version
        where
            not staged.is_dated_after
            and case
                when staged.record_status in ('current', 'unattributed')
                    then fresh.location is not null or staged.version_date >= date '{before.as_of}'
                when staged.record_status = 'superseded'
                    then
                        fresh.location is null
                        and staged.location in (select location from temp.new_files)
                else false
            end
    """


def _account(entity: str) -> str:
    """The account that a record counts under, as SQL."""
    if entity in _WITHOUT_ACCOUNT:
        return "null"
    if entity in _OF_ACCOUNTS:
        return "account_id"
    return f"coalesce(account_id, source_account_id, '{NO_ACCOUNT}')"


def _said(entity: str, column: str) -> str:
    """A column as the record has it, as SQL."""
    if column == "account_id" and entity not in _OF_ACCOUNTS:
        return "source_account_id"
    return quoted(column)


def _key(domain: str, entity: str) -> str:
    """The key of a record as one text; without a key, all that it says."""
    contract = ENTITIES[domain][entity]
    parts = [
        "coalesce(account_id, source_account_id)"
        if column == "account_id" and entity not in _OF_ACCOUNTS
        else quoted(column)
        for column in contract.key
    ]
    key = f"concat_ws(' ', {', '.join(parts)})"
    if set(contract.key) <= set(contract.required):
        return key
    everything = ", ".join(
        f"coalesce(cast({_said(entity, column)} as varchar), '')" for column in contract.columns
    )
    return f"coalesce(nullif({key}, ''), concat_ws('|', {everything}))"
