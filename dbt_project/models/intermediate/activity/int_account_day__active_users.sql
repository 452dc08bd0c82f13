-- One row per account and day, from its first known day to the last full day or the day before
-- churn. Owner of DAU, WAU, MAU, product users and the time per active user. Kept from night to
-- night: of each account, the days from the first one that changed are computed again. A user
-- active on a day counts in a window of n days until n days later, or until active again: each
-- active day adds one from itself on and takes one off then, so that the running sum counts every
-- user once. The cost grows with the days of activity, not with n.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_usage_days() }}",
) }}

with

usage_days as (
    select
        account_id,
        last_day,
        greatest(first_day, computed_from) as first_day
    from {{ ref('int_account__usage_days') }}
    where greatest(first_day, computed_from) <= last_day
),

users as (
    select
        users.account_id,
        greatest(users.first_known_day, usage_days.first_day) as first_day,
        users.deactivated_on
    from {{ ref('int_user__lifetime') }} as users
    inner join usage_days
        on users.account_id = usage_days.account_id
    where users.first_known_day is not null
),

-- what still counts on the first day that is computed
activity as (
    select
        activity.account_id,
        activity.user_id,
        activity.event_count,
        activity.session_microseconds,
        usage_days.first_day,
        activity.day
    from {{ ref('int_user_day__counted') }} as activity
    inner join usage_days
        on
            activity.account_id = usage_days.account_id
            and activity.day >= {{ add_days('usage_days.first_day', -29) }}
),

active_days as (
    select
        account_id,
        first_day,
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
        greatest(day, first_day) as day,
        {% for other in windows -%}
        {{ 1 if other == figure else 0 }} as {{ other }},
        {% endfor -%}
        0 as product_users
    from active_days
    where least({{ add_days('day', length) }}, next_day) > first_day
    union all
    select
        account_id,
        least({{ add_days('day', length) }}, next_day) as day,
        {% for other in windows -%}
        {{ -1 if other == figure else 0 }} as {{ other }},
        {% endfor -%}
        0 as product_users
    from active_days
    where least({{ add_days('day', length) }}, next_day) > first_day
    union all
    {% endfor -%}
    select
        account_id,
        first_day as day,
        0 as dau,
        0 as wau,
        0 as mau,
        1 as product_users
    from users
    where coalesce(deactivated_on > first_day, true)
    union all
    select
        account_id,
        deactivated_on as day,
        0 as dau,
        0 as wau,
        0 as mau,
        -1 as product_users
    from users
    where deactivated_on > first_day
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

days as (
    select
        account_id,
        {{ each_day('first_day', 'last_day') }} as day
    from usage_days
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
