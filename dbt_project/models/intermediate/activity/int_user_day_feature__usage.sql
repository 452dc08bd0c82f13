-- One row per account, user, local day and feature used on it: how often. Kept from
-- night to night: the touched days are computed again.
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
    coalesce(feature, '(none)') as feature,
    cast(sum(coalesce(total, 1)) as bigint) as total_count,
    event_day as day
from {{ ref('stg_canonical__events') }}
where action = 'feature' and is_touched
group by
    account_id,
    user_id,
    coalesce(product, '(none)'),
    coalesce(module, '(none)'),
    coalesce(feature, '(none)'),
    event_day
