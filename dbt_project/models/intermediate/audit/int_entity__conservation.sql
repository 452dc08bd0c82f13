-- One row per entity: records read, against what became of them. Owner of the conservation
-- equation. What was read is counted where files are read (the ledger of landed files), what became
-- of it in staging. Erased records are out of raw (the ledger says how many were left out of a
-- file), or, of an erased product user, left in it with nothing of the person but a pseudonym.
with

{% for domain in entities() -%}
{{ domain }}_read as (
    select
        entity,
        sum(rows_read) as records_read,
        sum(erased_rows) as erased
    from {{ source('raw_' ~ domain, 'landed_files') }}
    group by entity
),

{% endfor -%}
entities as (
    {% for domain, names in entities().items() -%}
    {% set last_domain = loop.last -%}
    {% for entity in names -%}
    select
        '{{ domain }}' as domain,
        '{{ entity }}' as entity,
        coalesce(
            (
                select records_read
                from {{ domain }}_read
                where entity = '{{ entity }}'
            ),
            0
        ) as records_read,
        coalesce(
            (
                select erased
                from {{ domain }}_read
                where entity = '{{ entity }}'
            ),
            0
        ) as erased
    union all
    {% endfor -%}
    {% endfor -%}
    select
        'crm' as domain,
        'account_parents' as entity,
        count(parent_account_id) as records_read,
        0 as erased
    from {{ ref('stg_native__accounts') }}
    where record_status = 'current' and not is_dated_after
),

counts as (
    select * from {{ ref('stg_canonical__record_counts') }}
),

compared as (
    select
        entities.domain,
        entities.entity,
        cast(entities.records_read as bigint) as records_read,
        coalesce(counts.current_rows, 0) as current_rows,
        coalesce(counts.dated_after_rows, 0) as dated_after_rows,
        coalesce(counts.superseded, 0) as superseded,
        coalesce(counts.duplicates, 0) as duplicates,
        coalesce(counts.unattributed, 0) as unattributed,
        coalesce(counts.rejected, 0) as rejected,
        cast(entities.erased + coalesce(counts.erased, 0) as bigint) as erased
    from entities
    left join counts
        on
            entities.domain = counts.domain
            and entities.entity = counts.entity
)

select
    *,
    records_read - current_rows - superseded - duplicates - unattributed - rejected - erased
        as difference
from compared
