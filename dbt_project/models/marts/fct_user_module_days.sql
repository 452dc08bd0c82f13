-- One row per account, user, module and day of the last 30 on which it was used. Accounts that
-- have churned have none.
select
    account_id,
    user_id,
    product,
    module,
    microseconds,
    day
from {{ ref('int_user_day_module__recent_usage') }}
