-- One row per account and user with session time in the last 30 days: how much, its rank, and the
-- rank's trend. Owner of activity ranks. The rank of each of the last 30 days is the share of the
-- other users whose session time in the 30 days up to it was lower; users of accounts that had
-- churned by then take no part.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

ranked as (
    select * from {{ ref('int_user_day__rank') }}
),

-- the slope of a least-squares line has the sign of n·Σxy − Σx·Σy; ranks are whole numbers of
-- 1e-20, so that a level trend comes out level, and what rounding can add to the sum is told from a
-- slope
numbered as (
    select
        ranked.account_id,
        ranked.user_id,
        {{ days_between('run_settings.last_full_day', 'ranked.day') }} as day_number,
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
    ranked.session_microseconds,
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
where ranked.day = run_settings.last_full_day
