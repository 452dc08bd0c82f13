-- One row per account and module used in the last 30 days. Owner of module usage.
-- The time per user and day used is a mean of daily ratios: each day its own users.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

usage_days as (
    select * from {{ ref('int_user_day_module__recent_usage') }}
),

days as (
    select
        account_id,
        product,
        module,
        day,
        sum(microseconds) as microseconds,
        count(*) as users
    from usage_days
    group by account_id, product, module, day
),

by_key as (
    select
        account_id,
        product,
        module,
        sum(microseconds) as microseconds,
        count(*) as days_used,
        {{ same_sum('cast(microseconds as double) / users') }} as daily_ratios,
        max(day) as last_used_date
    from days
    group by account_id, product, module
),

people as (
    select * from {{ ref('int_user_module__usage') }}
),

-- users who used it, and those of them who are product users on the last full day
users as (
    select
        people.account_id,
        people.product,
        people.module,
        count(*) as users,
        count(*) filter (
            where
            lifetimes.first_known_day is not null
            and coalesce(lifetimes.deactivated_on > run_settings.last_full_day, true)
        ) as product_users
    from people
    cross join run_settings
    left join {{ ref('int_user__lifetime') }} as lifetimes
        on
            people.account_id = lifetimes.account_id
            and people.user_id = lifetimes.user_id
    group by people.account_id, people.product, people.module
),

product_users as (
    select
        days.account_id,
        days.product_users
    from {{ ref('int_account_day__active_users') }} as days
    inner join run_settings
        on days.day = run_settings.last_full_day
)

select
    by_key.account_id,
    by_key.product,
    by_key.module,
    by_key.microseconds,
    by_key.daily_ratios / by_key.days_used as microseconds_per_user_per_day_used,
    by_key.days_used,
    users.users,
    product_users.product_users - users.product_users as non_users,
    row_number() over (
        partition by by_key.account_id
        order by
            by_key.microseconds desc,
            by_key.product asc,
            by_key.module asc
    ) as rank_in_account,
    by_key.last_used_date
from by_key
inner join users
    on
        by_key.account_id = users.account_id
        and by_key.product = users.product
        and by_key.module = users.module
left join product_users
    on by_key.account_id = product_users.account_id
