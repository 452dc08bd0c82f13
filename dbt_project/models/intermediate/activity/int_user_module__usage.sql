-- One row per account, user and module used in the last 30 days.
with

usage_days as (
    select * from {{ ref('int_user_day_module__recent_usage') }}
)

select
    account_id,
    user_id,
    product,
    module,
    sum(microseconds) as microseconds,
    count(*) as days_used,
    max(day) as last_used_date
from usage_days
group by account_id, user_id, product, module
