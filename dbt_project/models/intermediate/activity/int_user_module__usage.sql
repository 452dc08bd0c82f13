-- One row per account, user and module used in the last 30 days.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
    where not is_churned
),

usage_days as (
    select
        usage_days.*,
        usage_days.day >= {{ add_days('run_settings.last_full_day', -29) }} as is_recent
    from {{ ref('int_user_day_module__usage') }} as usage_days
    inner join accounts
        on usage_days.account_id = accounts.account_id
    cross join run_settings
)

select
    account_id,
    user_id,
    product,
    module,
    sum(microseconds) filter (where is_recent) as microseconds,
    count(*) filter (where is_recent) as days_used,
    max(day) as last_used_date
from usage_days
group by account_id, user_id, product, module
having bool_or(is_recent)
