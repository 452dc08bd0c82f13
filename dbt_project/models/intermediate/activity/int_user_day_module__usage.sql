-- One row per account, user, local day and module used on it: time spent, in microseconds. Kept
-- from night to night: the touched days are computed again.
-- depends_on: {{ ref('run_settings') }}, {{ ref('stg_native__event_days_touched') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_touched_days() }}",
) }}

select
    account_id,
    user_id,
    coalesce(product, '(none)') as product,
    coalesce(module, '(none)') as module,
    cast(sum(coalesce(time_spent_microseconds, 0)) as bigint) as microseconds,
    event_day as day
from {{ ref('stg_canonical__events') }}
where action = 'moduleEnd' and is_touched
group by account_id, user_id, coalesce(product, '(none)'), coalesce(module, '(none)'), event_day
