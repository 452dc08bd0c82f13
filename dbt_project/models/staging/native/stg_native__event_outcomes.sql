-- One row per account, user, day and outcome of event records: how many there are. Kept from night
-- to night; an account that is unknown goes by the id its records carry.
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
    record_status,
    count(*) as records,
    is_dated_after,
    max(version_date) as version_date,
    event_day as day
from {{ ref('stg_native__events') }}
where is_touched
group by key_account_id, user_id, record_status, is_dated_after, event_day
