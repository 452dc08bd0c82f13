-- One row per entry of a list of dimensions: of an account, a contact or a product user. Entries
-- that cannot be what they should be stay, with their text and the problem; of those without a
-- problem a key has one, which holds.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

{% set entities = {'accounts': 'account', 'contacts': 'contact', 'users': 'user'} -%}
{% set kinds = ['label', 'value', 'event'] -%}
lists as (
    {% for model, entity in entities.items() -%}
    {% set last_entity = loop.last -%}
    {% for kind in kinds -%}
    select
        account_id,
        '{{ entity }}' as entity,
        {{ entity }}_id as entity_id,
        '{{ kind }}' as kind,
        custom_{{ kind }}_dimensions as dimensions
    from {{ ref('stg_canonical__' ~ model) }}
    where custom_{{ kind }}_dimensions is not null
    {% if not (last_entity and loop.last) -%} union all {%- endif %}
    {% endfor -%}
    {% endfor -%}
),

entries as (
    select
        account_id,
        entity,
        entity_id,
        kind,
        {{ each_json_entry('dimensions') }} as content,
        {{ each_json_position('dimensions') }} as position
    from lists
),

read as (
    select
        account_id,
        entity,
        entity_id,
        kind,
        {{ json_field('content', 'key') }} as key,
        {{ json_field('content', 'value') }} as text_value,
        position,
        content
    from entries
),

typed as (
    select
        read.*,
        case when read.kind = 'value' then {{ to_number('read.text_value') }} end as number_value,
        case
            when read.kind = 'event'
                then {{ to_instant('read.text_value', 'run_settings.reporting_time_zone') }}
        end as event_at,
        row_number() over (
            partition by read.account_id, read.entity, read.entity_id, read.kind, read.key
            order by read.position desc
        ) > 1 as is_repeated_later
    from read
    cross join run_settings
),

judged as (
    select
        *,
        case
            when coalesce(trim(key), '') = '' then 'no key'
            when is_repeated_later then 'the key is listed again'
            when kind = 'value' and number_value is null and text_value is not null
                then 'not a number'
            when kind = 'event' and event_at is null and text_value is not null
                then 'not a timestamp'
        end as problem
    from typed
)

select
    account_id,
    entity,
    entity_id,
    kind,
    case when problem = 'no key' then '(none)' else key end as key,
    position,
    case
        when problem = 'no key' then cast(content as varchar)
        when kind = 'label' or problem is not null then text_value
    end as label_value,
    problem,
    case when problem is null then number_value end as number_value,
    case when problem is null then event_at end as event_at
from judged
