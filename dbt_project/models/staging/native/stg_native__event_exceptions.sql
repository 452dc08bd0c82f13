-- One row per event record that is unattributed, or refused for its account's alias. Kept from
-- night to night.
-- depends_on: {{ ref('run_settings') }}, {{ ref('stg_native__event_days_touched') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_touched_days() }}",
) }}

select
    key_account_id as account_id,
    user_id,
    location,
    line,
    load_number,
    file_version,
    record_status,
    reason,
    source_account_id,
    event_day as day
from {{ ref('stg_native__events') }}
where is_touched and record_status in ('unattributed', 'rejected')
