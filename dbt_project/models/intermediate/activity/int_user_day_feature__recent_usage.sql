-- One row per account, user, feature and day of the last 30 on which it was used. Accounts that
-- have churned have none.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
    where not is_churned
),

usage_days as (
    select * from {{ ref('int_user_day_feature__usage') }}
)

select usage_days.*
from usage_days
inner join accounts
    on usage_days.account_id = accounts.account_id
inner join run_settings
    on usage_days.day >= {{ add_days('run_settings.last_full_day', -29) }}
