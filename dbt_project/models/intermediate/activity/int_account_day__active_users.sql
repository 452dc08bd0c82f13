-- One row per account and day, from its first known day to the last full day or the day before
-- churn. Owner of DAU, WAU, MAU, product users and the time per active user. A user active on a day
-- counts in a window of n days until n days later, or until active again: each active day adds one
-- from itself on and takes one off then, so that the running sum counts every user once. The cost
-- grows with the days of activity, not with n.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

users as (
    select * from {{ ref('int_user__lifetime') }}
    where first_known_day is not null
),

activity as (
    select * from {{ ref('int_user_day__counted') }}
),

active_days as (
    select
        account_id,
        day,
        lead(day) over (partition by account_id, user_id order by day) as next_day
    from activity
    where event_count > 0
),

{% set windows = {'dau': 1, 'wau': 7, 'mau': 30} -%}
changes as (
    {% for figure, length in windows.items() -%}
    select
        account_id,
        day,
        {% for other in windows -%}
        {{ 1 if other == figure else 0 }} as {{ other }},
        {% endfor -%}
        0 as product_users
    from active_days
    union all
    select
        account_id,
        least({{ add_days('day', length) }}, next_day) as day,
        {% for other in windows -%}
        {{ -1 if other == figure else 0 }} as {{ other }},
        {% endfor -%}
        0 as product_users
    from active_days
    union all
    {% endfor -%}
    select
        account_id,
        first_known_day as day,
        0 as dau,
        0 as wau,
        0 as mau,
        1 as product_users
    from users
    where coalesce(deactivated_on > first_known_day, true)
    union all
    select
        account_id,
        deactivated_on as day,
        0 as dau,
        0 as wau,
        0 as mau,
        -1 as product_users
    from users
    where deactivated_on > first_known_day
),

changes_by_day as (
    select
        account_id,
        day,
        sum(dau) as dau,
        sum(wau) as wau,
        sum(mau) as mau,
        sum(product_users) as product_users
    from changes
    group by account_id, day
),

session_time as (
    select
        account_id,
        day,
        sum(session_microseconds) as session_microseconds
    from activity
    group by account_id, day
),

first_days as (
    select
        account_id,
        min(first_known_day) as first_day
    from users
    group by account_id
),

days as (
    select
        first_days.account_id,
        {{ each_day(
            'first_days.first_day',
            'least(run_settings.last_full_day, ' ~ add_days('accounts.churn_date', -1) ~ ')'
        ) }} as day
    from first_days
    inner join accounts
        on first_days.account_id = accounts.account_id
    cross join run_settings
),

counted as (
    select
        days.account_id,
        {% for figure in ['dau', 'wau', 'mau', 'product_users'] -%}
        cast(
            coalesce(
                sum(changes_by_day.{{ figure }}) over (
                    partition by days.account_id order by days.day rows unbounded preceding
                ),
                0
            ) as bigint
        ) as {{ figure }},
        {% endfor -%}
        cast(coalesce(session_time.session_microseconds, 0) as bigint) as session_microseconds,
        days.day
    from days
    left join changes_by_day
        on
            days.account_id = changes_by_day.account_id
            and days.day = changes_by_day.day
    left join session_time
        on
            days.account_id = session_time.account_id
            and days.day = session_time.day
)

select
    account_id,
    dau,
    wau,
    mau,
    product_users,
    session_microseconds,
    case when dau > 0 then session_microseconds / 1e6 / dau end as seconds_per_active_user,
    day
from counted
