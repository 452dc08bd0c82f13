with

run_settings as (
    select * from {{ ref('run_settings') }}
),

usage as (
    select * from {{ ref('int_user_feature__usage') }}
)

select
    usage.account_id,
    usage.user_id,
    usage.product,
    usage.module,
    usage.feature,
    cast(usage.total_count as bigint) as total_count,
    usage.days_used,
    usage.last_used_date,
    run_settings.as_of_date
from usage
cross join run_settings
