-- One row per account, user and feature used in the last 30 days.
with

usage_days as (
    select * from {{ ref('int_user_day_feature__recent_usage') }}
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
