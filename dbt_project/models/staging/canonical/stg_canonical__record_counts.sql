-- How many records of each entity have which outcome: the right-hand side of the conservation
-- equation. Lines of text files that could not be parsed never became a typed record, and are
-- counted here as well. Of an erased product user nothing is left but a pseudonym and the dates
-- that counts of users are made of; such records count as erased.
with

{% for domain, names in entities().items() -%}
{{ domain }}_unparsed as (
    select
        unparsed.entity,
        case
            when unparsed._load_number < max(files.load_number) then 'superseded'
            else 'rejected'
        end as record_status
    from {{ source('raw_' ~ domain, 'unparsed_lines') }} as unparsed
    left join {{ source('raw_' ~ domain, 'landed_files') }} as files
        on
            unparsed.entity = files.entity
            and unparsed._location = files.location
    group by unparsed.entity, unparsed._location, unparsed._line, unparsed._load_number
),

{% endfor -%}
{% set user_status -%}
case
            when
                {{ is_erased_user('user_id') }}
                and record_status in ('current', 'superseded', 'duplicate')
                then 'erased'
            else record_status
        end
{%- endset -%}
outcomes as (
    {% for domain, names in entities().items() -%}
    {% set last_domain = loop.last -%}
    {% for entity in names if entity != 'events' -%}
    {% set status = user_status if entity == 'users' else 'record_status' -%}
    select
        '{{ domain }}' as domain,
        '{{ entity }}' as entity,
        {{ status if entity != 'users' else status ~ ' as record_status' }},
        is_dated_after,
        count(*) as records
    from {{ ref('stg_native__' ~ entity) }}
    group by {{ status }}, is_dated_after
    union all
    {% endfor -%}
    select
        '{{ domain }}' as domain,
        entity,
        record_status,
        false as is_dated_after,
        count(*) as records
    from {{ domain }}_unparsed
    group by entity, record_status
    {% if not last_domain %}union all{% endif %}
    {% endfor -%}
    union all
    select
        'events' as domain,
        'events' as entity,
        record_status,
        is_dated_after,
        records
    from {{ ref('stg_native__event_counts') }}
    union all
    select
        'crm' as domain,
        'account_parents' as entity,
        record_status,
        false as is_dated_after,
        count(*) as records
    from {{ ref('stg_canonical__account_parents') }}
    group by record_status
)

select
    domain,
    entity,
    cast(coalesce(sum(records) filter (where record_status = 'current'), 0) as bigint)
        as current_rows,
    cast(
        coalesce(sum(records) filter (where record_status = 'current' and is_dated_after), 0)
        as bigint
    ) as dated_after_rows,
    cast(coalesce(sum(records) filter (where record_status = 'superseded'), 0) as bigint)
        as superseded,
    cast(coalesce(sum(records) filter (where record_status = 'duplicate'), 0) as bigint)
        as duplicates,
    cast(coalesce(sum(records) filter (where record_status = 'unattributed'), 0) as bigint)
        as unattributed,
    cast(coalesce(sum(records) filter (where record_status = 'rejected'), 0) as bigint)
        as rejected,
    cast(coalesce(sum(records) filter (where record_status = 'erased'), 0) as bigint) as erased
from outcomes
group by domain, entity
