-- One row per account, user, feature and day of the last 30 on which it was used. Accounts that
-- have churned have none.
select
    account_id,
    user_id,
    product,
    module,
    feature,
    total_count,
    day
from {{ ref('int_user_day_feature__recent_usage') }}
