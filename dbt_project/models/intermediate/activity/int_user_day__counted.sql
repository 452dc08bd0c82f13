-- One row per account, user and local day with activity, of accounts that exist, before they
-- churned.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
)

select
    activity.account_id,
    activity.user_id,
    activity.event_count,
    activity.session_microseconds,
    activity.day
from {{ ref('int_user_day__activity') }} as activity
inner join accounts
    on activity.account_id = accounts.account_id
where
    (activity.event_count > 0 or activity.session_microseconds > 0)
    and coalesce(activity.day < accounts.churn_date, true)
