-- One row per account and user with session time in the last 30 days: how much, its rank, and the
-- rank's trend. Owner of activity ranks. The rank of each of the last 30 days is the share of the
-- other users whose session time in the 30 days up to it was lower; users of accounts that had
-- churned by then take no part.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

recent as (
    select
        activity.account_id,
        activity.user_id,
        activity.day,
        activity.session_microseconds
    from {{ ref('int_user_day__counted') }} as activity
    cross join run_settings
    where
        activity.session_microseconds > 0
        and activity.day > {{ add_days('run_settings.last_full_day', -59) }}
),

ranked_days as (
    select {{ each_day(add_days('last_full_day', -29), 'last_full_day') }} as ranked_day
    from run_settings
),

-- session time enters the window of a day and leaves it 30 days later
changes as (
    select
        recent.account_id,
        recent.user_id,
        greatest(recent.day, {{ add_days('run_settings.last_full_day', -29) }}) as day,
        recent.session_microseconds
    from recent
    cross join run_settings
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

ranked as (
    select
        windows.account_id,
        windows.user_id,
        windows.ranked_day,
        windows.session_microseconds,
        rank() over (
            partition by windows.ranked_day order by windows.session_microseconds
        ) - 1 as users_below,
        count(*) over (partition by windows.ranked_day) - 1 as other_users,
        rank() over (
            partition by windows.ranked_day, windows.account_id
            order by windows.session_microseconds
        ) - 1 as users_below_in_account,
        count(*) over (partition by windows.ranked_day, windows.account_id) - 1
            as other_users_in_account
    from windows
    inner join accounts
        on windows.account_id = accounts.account_id
    where
        windows.session_microseconds > 0
        and coalesce(windows.ranked_day < accounts.churn_date, true)
),

-- the slope of a least-squares line has the sign of n·Σxy − Σx·Σy; ranks are whole numbers of
-- 1e-20, so that a level trend comes out level, and what rounding can add to the sum is told from a
-- slope
numbered as (
    select
        ranked.account_id,
        ranked.user_id,
        {{ days_between('run_settings.last_full_day', 'ranked.ranked_day') }} as day_number,
        case
            when ranked.other_users = 0 then 0
            else
                cast(ranked.users_below as hugeint) * 100000000000000000000
                // ranked.other_users
        end as share_below
    from ranked
    cross join run_settings
),

trends as (
    select
        account_id,
        user_id,
        count(*) * sum(day_number * share_below) - sum(day_number) * sum(share_below) as slope
    from numbered
    group by account_id, user_id
)

select
    ranked.account_id,
    ranked.user_id,
    cast(ranked.session_microseconds as bigint) as session_microseconds,
    case
        when ranked.other_users = 0 then 0
        else 100.0 * ranked.users_below / ranked.other_users
    end as activity_rank,
    case
        when ranked.other_users_in_account = 0 then 0
        else 100.0 * ranked.users_below_in_account / ranked.other_users_in_account
    end as activity_rank_in_account,
    case
        when abs(trends.slope) <= 100000 then 0
        else cast(sign(trends.slope) as integer)
    end as rank_trend
from ranked
inner join trends
    on
        ranked.account_id = trends.account_id
        and ranked.user_id = trends.user_id
cross join run_settings
where ranked.ranked_day = run_settings.last_full_day
