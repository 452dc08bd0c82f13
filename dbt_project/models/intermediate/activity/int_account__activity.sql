-- One row per account that has not churned and has product users: its usage figures on the last
-- full day. Owner of the account's own activity rank: the share of other accounts with less session
-- time in 30 days.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select * from {{ ref('int_account_day__active_users') }}
),

last_days as (
    select days.*
    from days
    inner join run_settings
        on days.day = run_settings.last_full_day
),

session_time as (
    select
        activity.account_id,
        sum(activity.session_microseconds) as session_microseconds
    from {{ ref('int_user_day__counted') }} as activity
    cross join run_settings
    where activity.day > {{ add_days('run_settings.last_full_day', -30) }}
    group by activity.account_id
),

ranks as (
    select
        session_time.account_id,
        100 * percent_rank() over (order by session_time.session_microseconds) as activity_rank
    from session_time
    inner join last_days
        on session_time.account_id = last_days.account_id
    where session_time.session_microseconds > 0
),

last_seen as (
    select
        account_id,
        max(last_seen_date) as last_seen_date
    from {{ ref('int_user__lifetime') }}
    group by account_id
)

select
    last_days.account_id,
    last_days.dau,
    last_days.wau,
    last_days.mau,
    last_days.product_users,
    last_days.seconds_per_active_user,
    ranks.activity_rank,
    last_seen.last_seen_date
from last_days
left join ranks
    on last_days.account_id = ranks.account_id
left join last_seen
    on last_days.account_id = last_seen.account_id
