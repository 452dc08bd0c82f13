"""Why figures of past periods changed since a publish: what else changed of what they are made of.

Told from what both publishes and the warehouse know, for all figures at once, in SQL: the records
that appeared, changed or vanished between the two, of the entities that a figure is made of; models
and settings that are other ones; where nothing of these is, what was erased, or the days that
passed; else that it cannot be told. What is near is told before what is far: see
`docs/decisions.md`.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from ingestion.sql import literal
from orchestration.changed_records import OLDER_ACCOUNTS, write_changed_records
from orchestration.comparison import DEFINITIONS, Side
from settings import RUN_TABLES

# Columns that choose currency, day and account, for records whose other columns do not matter.
_MERE_CHOICE = {
    "account_id",
    "created_at",
    "currency",
    "paid_at",
    "_location",
    "_line",
    "_load_number",
}
# Columns of an account that any of its figures may hang on.
_OF_EVERY_FIGURE = ("inactive_time", "is_churned", "is_deleted", "join_date", "parent_account_id")
_TOGETHER = {
    "billing.invoice_lines": "billing.invoices",
    "tickets.ticket_changes": "tickets.tickets",
}
_SHOWN = 3
_ALL = "*"


@dataclass(frozen=True)
class Causes:
    """Tells why the figures in `temp.restated` changed; everything in SQL, for all at once.

    A *subject* is whose records a figure is made of: an account, an account with its descendants, a
    CSM with the accounts that were assigned, or all accounts (the portfolio).
    """

    connection: duckdb.DuckDBPyConnection
    before: Side
    after: Side
    previous: str
    code: str

    def write(self) -> None:
        """Make `temp.restated_of` (with subject) and `temp.causes`, by subject and metric."""
        self._subjects()
        self._made_of()
        self._changed_records()
        self._changed_definitions()
        self._erasures()
        self._causes()

    def _run(self, sql: str) -> None:
        self.connection.execute(sql)

    def _subjects(self) -> None:
        provisional = "false"
        if self.before.has("account_mrr_monthly", "is_provisional_loss"):
            provisional = f"""
                coalesce(restated.published_in like 'account_mrr_monthly.%' and (
                    select bool_or(months.is_provisional_loss)
                    from {self.before.table("account_mrr_monthly")} as months
                    where
                        months.account_id = restated.account_id
                        and months.month = restated.period
                ), false)
            """
        self._run(
            f"""
            create or replace temp table restated_of as
            select
                restated.*,
                split_part(published_in, '.', 1) as home,
                {provisional} as is_provisional,
                case
                    when split_part(published_in, '.', 1) like '%\\_rollup' escape '\\'
                        then 'rollup ' || account_id
                    when account_id is not null then 'account ' || account_id
                    when key like 'csm_email=%'
                        then 'csm ' || regexp_extract(key, '^csm_email=([^,]*)', 1)
                    else 'portfolio'
                end as subject
            from temp.restated
            """
        )
        hierarchy = " union ".join(
            f"select account_id, descendant_account_id from {side.table('account_hierarchy')}"
            for side in (self.before, self.after)
            if side.has("account_hierarchy")
        )
        assigned = " union ".join(
            f"select csm_email, account_id from {side.table('account_csm_assignments')}"
            for side in (self.before, self.after)
            if side.has("account_csm_assignments")
        )
        nobody = "select null::varchar, null::varchar where false"
        self._run(
            f"""
            create or replace temp table members as
            with
            subjects as (select distinct subject, account_id from temp.restated_of),
            hierarchy (account_id, member) as ({hierarchy or nobody}),
            assigned (csm_email, member) as ({assigned or nobody})
            select subject, account_id as member from subjects where account_id is not null
            union
            select subject, hierarchy.member from subjects inner join hierarchy
                on subjects.account_id = hierarchy.account_id and subject like 'rollup %'
            union
            select subject, assigned.member from subjects inner join assigned
                on subject = 'csm ' || assigned.csm_email
            union
            select subject, '{_ALL}' from subjects
            where subject in ('portfolio', 'csm (unassigned)')
            -- records of no account concern everybody
            union
            select subject, '' from subjects
            -- an account's health may hang on its descendants: told where nothing else is
            union
            select subject, hierarchy.member from subjects inner join hierarchy
                on subjects.account_id = hierarchy.account_id and subject like 'account %'
            """
        )

    def _made_of(self) -> None:
        """Entities that each figure is made of: those whose values it has first, then all.

        Columns that merely choose a rate, a day or an account make an entity one of the latter.
        """
        lineage = self.after.table("column_lineage")
        merely = ", ".join(map(literal, sorted(_MERE_CHOICE)))
        together = " union all ".join(
            f"select published_in, metric, {literal(parent)} from valued"
            f" where entity = {literal(entity)}"
            for entity, parent in _TOGETHER.items()
        )
        self._run(
            f"""
            create or replace temp table made_of as
            with
            figures as (select distinct published_in, metric from temp.restated_of),
            valued as (
                select figures.published_in, figures.metric,
                    replace(lineage.upstream_table, 'raw_', '') as entity
                from figures
                inner join {lineage} as lineage
                    on
                        figures.published_in = lineage.table_name || '.' || lineage.column_name
                        and lineage.table_name != 'account_metrics_daily'
                where
                    lineage.upstream_table like 'raw\\_%' escape '\\'
                    and lineage.upstream_column not in ({merely})
                group by all
            ),
            named as (
                select figures.published_in, figures.metric,
                    replace(unnest(string_split(catalog.raw_tables, ', ')), 'raw_', '') as entity
                from figures
                inner join {self.after.table("metric_catalog")} as catalog using (metric)
            ),
            ranked as (
                from valued select published_in, metric, entity, 1 as tier
                union all select published_in, metric, entity, 1 as tier from ({together}) as pairs
                    (published_in, metric, entity)
                union all select published_in, metric, entity, 2 from named
                union all
                select published_in, metric, unnest(['crm.accounts', 'crm.account_aliases']), 1
                from figures
                union all
                select published_in, metric, {literal(OLDER_ACCOUNTS)}, 2 from figures
            )
            select published_in, metric, entity, min(tier) as tier
            from ranked
            where entity not like '%.landed_files' and entity not like '%.unparsed_lines'
            group by all;
            create or replace temp table account_columns as
            select distinct figures.published_in, lineage.upstream_column as name
            from (select distinct published_in from temp.restated_of) as figures
            inner join {lineage} as lineage
                on figures.published_in = lineage.table_name || '.' || lineage.column_name
            where lineage.upstream_table = 'raw_crm.accounts'
            union
            select published_in, unnest({list(_OF_EVERY_FIGURE)}) from temp.restated_of
            union
            select published_in, 'assigned_csms' from temp.restated_of where home like 'csm%'
            """
        )

    def _changed_records(self) -> None:
        """Make `temp.changed_of`: the records that changed, summed up by entity and account."""
        entities = self.connection.execute("select distinct entity from temp.made_of").fetchall()
        write_changed_records(
            self.connection, self.before, self.after, [entity for (entity,) in entities]
        )
        self._run(
            f"""
            create or replace temp table changed_of as
            with
            told as (
                select entity, account_id, change, changed_columns,
                    concat(
                        record, ' ', change,
                        case when len(said) > 0 then concat(
                            ' (', array_to_string(said[:{_SHOWN}], ', '),
                            case when len(said) > {_SHOWN}
                                then concat(' and ', len(said) - {_SHOWN}, ' more')
                            end,
                            ')'
                        ) end,
                        ', ', location, ' line ', line
                    ) as said
                from temp.changed
            ),
            -- of an account, of all accounts, and of none, which concerns everybody
            by_account as (
                select entity, coalesce(account_id, '') as member, * exclude (entity, account_id)
                from told
                union all
                select entity, '{_ALL}', change, changed_columns,
                    case
                        when starts_with(said, account_id) then said
                        else concat(account_id, ': ', said)
                    end as said
                from told
                where account_id is not null
            )
            select
                entity,
                member,
                count(*) as records,
                count(*) filter (where change = 'appeared') as appeared,
                count(*) filter (where change = 'changed') as changed,
                count(*) filter (where change = 'vanished') as vanished,
                flatten(list(coalesce(changed_columns, []))) as changed_columns,
                min(said, {_SHOWN}) as said
            from by_account
            group by all
            """
        )

    def _changed_definitions(self) -> None:
        """Make `temp.changed_definitions`: what changed in a model; '' stands for all models."""
        self._run(
            f"""
            create or replace temp table new_version as
            select concat('new code version ', code_version, ' → ', {literal(self.code)}) as said
            from {self.before.table("audit_publishes")}
            where publish_id = {literal(self.previous)} and code_version != {literal(self.code)}
            """
        )
        if not self.before.has(DEFINITIONS):
            self._run(
                "create or replace temp table changed_definitions as"
                " select '' as model, said from temp.new_version"
            )
            return
        files = ", ".join(map(literal, RUN_TABLES))
        self._run(
            f"""
            create or replace temp table changed_definitions as
            with
            differing as (
                select kind, name, now.used_by, was.definition as was, now.definition as now
                from {self.before.table(DEFINITIONS)} as was
                full outer join {self.after.table(DEFINITIONS)} as now using (kind, name)
                where was.definition is distinct from now.definition
            )
            select name as model, concat('definition of ', name, ' changed') as said
            from differing
            where kind = 'model'
            union all
            select unnest(used_by) as model,
                case
                    when name in ({files}) then concat('settings in ', name, ' changed')
                    else concat(
                        'setting ', name, ' ', coalesce(was, 'none'), ' → ', coalesce(now, 'none')
                    )
                end as said
            from differing
            where kind = 'setting'
            """
        )

    def _erasures(self) -> None:
        """Make `temp.erased_of`: what was erased since the publish before, by subject."""
        known = self.connection.execute(
            "select 1 from duckdb_tables()"
            " where database_name = 'warehouse' and schema_name = 'run' and table_name = 'erasures'"
        ).fetchone()
        erasures = (
            f"""
            select kind, account_id
            from warehouse.run.erasures
            where erased_at > (
                select max(published_at) from {self.before.table("audit_publishes")}
                where publish_id = {literal(self.previous)}
            )
            """
            if known
            else "select null::varchar as kind, null::varchar as account_id where false"
        )
        self._run(
            f"""
            create or replace temp table erased_of as
            select
                subjects.subject,
                concat(
                    'erased since: ',
                    concat_ws(
                        ', ',
                        nullif(count(*) filter (where kind = 'account'), 0) || ' account(s)',
                        nullif(count(*) filter (where kind = 'person'), 0) || ' person(s)'
                    )
                ) as cause
            from (select distinct subject from temp.restated_of) as subjects
            inner join ({erasures}) as erasures
                on
                    subjects.subject not like 'account %'
                    or subjects.subject = 'account ' || erasures.account_id
            group by subjects.subject
            """
        )

    def _causes(self) -> None:
        days_passed = (
            f"'days passed, from as of {self.before.as_of} to {self.after.as_of}'"
            if self.before.as_of != self.after.as_of
            else "'cannot be told: no record, definition or setting of it changed'"
        )
        self._run(
            f"""
            create or replace temp table causes as
            with
            pairs as (
                select
                    subject, metric, published_in, is_provisional,
                    any_value(account_id) as account_id
                from temp.restated_of
                group by all
            ),
            columns_of_accounts as (
                select published_in, list(name) as names from temp.account_columns group by all
            ),
            -- the nearest records that changed: those whose values the figure has, before others
            records as (
                select
                    pairs.subject, pairs.metric, pairs.published_in, pairs.is_provisional,
                    changed_of.* exclude (said),
                    case
                        when members.member in ('', '{_ALL}', coalesce(pairs.account_id, ''))
                            then changed_of.said
                        else list_transform(changed_of.said, lambda one: case
                            when starts_with(one, members.member) then one
                            else concat(members.member, ': ', one)
                        end)
                    end as said,
                    made_of.tier + case
                        when pairs.subject like 'account %'
                            and members.member not in ('', pairs.account_id) then 10
                        else 0
                    end as distance
                from pairs
                inner join temp.members using (subject)
                inner join temp.made_of using (published_in, metric)
                inner join temp.changed_of using (entity, member)
                left join columns_of_accounts using (published_in)
                where
                    changed_of.entity != 'crm.accounts'
                    or changed_of.appeared + changed_of.vanished > 0
                    or list_has_any(changed_of.changed_columns, columns_of_accounts.names)
                qualify distance = min(distance) over (
                    partition by pairs.subject, pairs.metric, pairs.published_in
                )
            ),
            entities as (
                select
                    subject, metric, published_in, is_provisional, entity,
                    sum(records) as records,
                    concat_ws(
                        ', ',
                        sum(appeared) || ' appeared',
                        case when sum(changed) > 0 then sum(changed) || ' changed' end,
                        case when sum(vanished) > 0 then sum(vanished) || ' vanished' end
                    ) as counts,
                    list_sort(flatten(list(said))) as said
                from records
                group by all
            ),
            of_records as (
                select
                    subject, metric, published_in, is_provisional,
                    string_agg(
                        case
                            when records <= {_SHOWN}
                                then concat(entity, ' ', array_to_string(said, '; '))
                            else concat(entity, ': ', counts, '; the first: ', said[1])
                        end,
                        '; ' order by entity
                    ) as cause
                from entities
                group by all
            ),
            figures as (select distinct metric, published_in from pairs),
            -- the nearest definitions: of models whose values the figure has, before others
            models as (
                select figures.metric, figures.published_in, lineage.upstream as model,
                    if(split_part(published_in, '.', 1) = 'account_metrics_daily', 1, 2) as tier
                from figures
                inner join {self.after.table("metric_lineage")} as lineage using (metric)
                union
                select figures.metric, figures.published_in, lineage.upstream_table, 1
                from figures
                inner join {self.after.table("column_lineage")} as lineage
                    on
                        figures.published_in = lineage.table_name || '.' || lineage.column_name
                        -- its values are of all metrics
                        and lineage.table_name != 'account_metrics_daily'
                union
                select metric, published_in,
                    unnest(['', split_part(published_in, '.', 1)]), 1
                from figures
            ),
            changed_models as (
                from models
                inner join temp.changed_definitions using (model)
                qualify tier = min(tier) over (partition by metric, published_in)
            ),
            of_definitions as (
                select
                    metric, published_in,
                    min(tier) as tier,
                    list_sort(list(distinct said)) as all_said,
                    concat(
                        case when all_said[1] like 'definition of %'
                            then (select said || ': ' from temp.new_version)
                        end,
                        array_to_string(all_said[:{_SHOWN}], '; '),
                        case when len(all_said) > {_SHOWN}
                            then concat('; and ', len(all_said) - {_SHOWN}, ' more')
                        end
                    ) as cause
                from changed_models
                group by all
            )
            select
                pairs.subject, pairs.metric, pairs.published_in, pairs.is_provisional,
                coalesce(
                    nullif(
                        concat_ws(
                            '; ',
                            of_records.cause,
                            case when of_definitions.tier = 1 or of_records.cause is null
                                then of_definitions.cause
                            end
                        ),
                        ''
                    ),
                    erased_of.cause,
                    case
                        when pairs.is_provisional
                            then 'days passed: the loss was provisional in its days of grace'
                        else {days_passed}
                    end
                ) as cause
            from pairs
            left join of_records using (subject, metric, published_in, is_provisional)
            left join of_definitions using (metric, published_in)
            left join temp.erased_of using (subject)
            """
        )
