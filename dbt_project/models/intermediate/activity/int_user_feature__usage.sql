-- One row per account, user and feature used in the last 30 days.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
    where not is_churned
),

usage_days as (
    select usage_days.*
    from {{ ref('int_user_day_feature__usage') }} as usage_days
    inner join accounts
        on usage_days.account_id = accounts.account_id
    inner join run_settings
        on usage_days.day >= {{ add_days('run_settings.last_full_day', -29) }}
)

select
    account_id,
    user_id,
    product,
    module,
    feature,
    sum(total_count) as total_count,
    count(*) as days_used,
    max(day) as last_used_date
from usage_days
group by account_id, user_id, product, module, feature
