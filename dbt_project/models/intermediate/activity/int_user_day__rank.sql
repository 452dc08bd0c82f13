-- One row per account, user and day of the last 30, of users with session time in the 30 days up to
-- it: how much, and how many of the other users had less. Kept from night to night: the days whose
-- windows changed are ranked again. Users of accounts that had churned by then take no part.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_ranked_days() }}",
) }}

with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

ranked_days as (
    select day as ranked_day
    from {{ ref('int_day__ranked') }}
    where is_ranked_again
),

first_ranked as (
    select
        min(ranked_day) as first_day,
        max(ranked_day) as last_day
    from ranked_days
),

recent as (
    select
        activity.account_id,
        activity.user_id,
        activity.day,
        activity.session_microseconds,
        first_ranked.first_day
    from {{ ref('int_user_day__counted') }} as activity
    inner join first_ranked
        on
            activity.day > {{ add_days('first_ranked.first_day', -30) }}
            and activity.day <= first_ranked.last_day
    where activity.session_microseconds > 0
),

-- session time enters the window of a day and leaves it 30 days later
changes as (
    select
        account_id,
        user_id,
        greatest(day, first_day) as day,
        session_microseconds
    from recent
    union all
    select
        account_id,
        user_id,
        {{ add_days('day', 30) }} as day,
        -session_microseconds as session_microseconds
    from recent
),

changes_by_day as (
    select
        account_id,
        user_id,
        day,
        sum(session_microseconds) as session_microseconds
    from changes
    group by account_id, user_id, day
),

users as (
    select
        account_id,
        user_id
    from recent
    group by account_id, user_id
),

windows as (
    select
        users.account_id,
        users.user_id,
        ranked_days.ranked_day,
        sum(changes_by_day.session_microseconds) over (
            partition by users.account_id, users.user_id
            order by ranked_days.ranked_day
            rows unbounded preceding
        ) as session_microseconds
    from users
    cross join ranked_days
    left join changes_by_day
        on
            users.account_id = changes_by_day.account_id
            and users.user_id = changes_by_day.user_id
            and ranked_days.ranked_day = changes_by_day.day
),

with_churn as (
    select windows.*
    from windows
    inner join accounts
        on windows.account_id = accounts.account_id
    where
        windows.session_microseconds > 0
        and coalesce(windows.ranked_day < accounts.churn_date, true)
)

select
    account_id,
    user_id,
    cast(session_microseconds as bigint) as session_microseconds,
    rank() over (partition by ranked_day order by session_microseconds) - 1 as users_below,
    count(*) over (partition by ranked_day) - 1 as other_users,
    rank() over (partition by ranked_day, account_id order by session_microseconds) - 1
        as users_below_in_account,
    count(*) over (partition by ranked_day, account_id) - 1 as other_users_in_account,
    ranked_day as day
from with_churn
