-- One row per landed event record, typed and judged once, when it lands. Which of them count is
-- decided later, since it can change: another file, account or as-of date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=["{{ forget_last_build() }}", "{{ forget_all_events() }}"],
) }}

{% set columns = {
    'account_id': 'text',
    'user_id': 'text!',
    'created_at': 'instant!',
    'action': 'text!',
    'session_id': 'text',
    'product': 'text',
    'module': 'text',
    'feature': 'text',
    'active_duration': 'milliseconds',
    'time_spent': 'milliseconds',
    'total': 'whole',
    'details': 'json',
    'event_id': 'text',
} -%}

with

run_settings as (
    select * from {{ ref('run_settings') }}
),

new_files as (
    select
        location,
        load_number,
        cast(loaded_at as timestamp) as loaded_at
    from {{ source('raw_events', 'landed_files') }}
    {%- if is_incremental() %}
    where load_number > (select coalesce(max(built.load_number), 0) from {{ this }} as built)
    {%- endif %}
),

typed as (
    select
        records._location as location,
        records._line as line,
        records._load_number as load_number,
        new_files.loaded_at,
        {%- for column, type in columns.items() %}
        {{ typed_column('records.' ~ column, type, 'run_settings.reporting_time_zone') }}
            as {{ column }},
        records.{{ column }} as raw_{{ column }},
        {%- endfor %}
        {{ content_hash('records', columns) }} as content
    from {{ source('raw_events', 'events') }} as records
    inner join new_files
        on
            records._load_number = new_files.load_number
            and records._location = new_files.location
    cross join run_settings
)

select
    typed.location,
    typed.line,
    typed.load_number,
    typed.account_id as source_account_id,
    typed.user_id,
    typed.session_id,
    typed.event_id,
    typed.action,
    typed.product,
    typed.module,
    typed.feature,
    typed.content,
    {{ lookup_hash(['typed.user_id', 'typed.session_id']) }} as session_hash,
    typed.active_duration as active_microseconds,
    typed.time_spent as time_spent_microseconds,
    typed.total,
    nullif(
        concat_ws(
            '; ',
            {%- for column, type in columns.items() %}
            {{ refusals(column, type) }},
            {%- endfor %}
            case
                when typed.created_at > typed.loaded_at + interval 24 hour
                    then concat(
                            'created_at ',
                            typed.raw_created_at,
                            ' is over 24 hours after the record was loaded'
                        )
            end,
            case
                when typed.active_duration not between 0 and 86400000000
                    then concat(
                            'active_duration ',
                            typed.raw_active_duration,
                            ' ms is negative or over 24 hours'
                        )
            end,
            case
                when typed.time_spent not between 0 and 86400000000
                    then concat(
                            'time_spent ', typed.raw_time_spent, ' ms is negative or over 24 hours'
                        )
            end,
            case
                when typed.total < 0 then concat('total ', typed.raw_total, ' is negative')
            end
        ),
        ''
    ) as refusal,
    {{ local_day('typed.created_at', 'run_settings.reporting_time_zone') }} as event_day,
    typed.created_at
from typed
cross join run_settings
