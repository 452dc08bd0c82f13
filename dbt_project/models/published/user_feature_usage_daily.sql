with

run_settings as (
    select * from {{ ref('run_settings') }}
),

usage_days as (
    select * from {{ ref('fct_user_feature_days') }}
)

select
    usage_days.account_id,
    usage_days.user_id,
    usage_days.product,
    usage_days.module,
    usage_days.feature,
    cast(usage_days.total_count as bigint) as total_count,
    usage_days.day,
    run_settings.as_of_date
from usage_days
cross join run_settings
