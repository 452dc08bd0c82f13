-- One row per account and user with session time in the last 30 days: how much, its rank, and the
-- rank's trend. Owner of activity ranks. The rank of each of the last 30 days is the share of the
-- other users whose session time in the 30 days up to it was lower; users of accounts that had
-- churned by then take no part.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

-- the slope of a least-squares line has the sign of n·Σxy − Σx·Σy
numbered as (
    select
        ranked.*,
        {{ days_between('run_settings.last_full_day', 'ranked.day') }} as day_number
    from {{ ref('int_user_day__rank') }} as ranked
    cross join run_settings
),

slopes as (
    select
        account_id,
        user_id,
        count(*) * sum(day_number * cast(users_below as double) / greatest(other_users, 1))
        - sum(day_number) * sum(cast(users_below as double) / greatest(other_users, 1)) as slope
    from numbered
    group by account_id, user_id
),

-- of a slope that rounding could have made, or turned, the sums are taken again in whole numbers of
-- 1e-20, so that a level trend comes out level; what rounding can add to those is told from a slope
nearly_level as (
    select
        numbered.account_id,
        numbered.user_id,
        numbered.day_number,
        cast(numbered.users_below as hugeint) * 100000000000000000000
        // greatest(numbered.other_users, 1) as share_below
    from numbered
    inner join slopes
        on
            numbered.account_id = slopes.account_id
            and numbered.user_id = slopes.user_id
    where abs(slopes.slope) < 1e-6
),

exact_slopes as (
    select
        account_id,
        user_id,
        count(*) * sum(day_number * share_below) - sum(day_number) * sum(share_below) as slope
    from nearly_level
    group by account_id, user_id
)

select
    numbered.account_id,
    numbered.user_id,
    numbered.session_microseconds,
    case
        when numbered.other_users = 0 then 0
        else 100.0 * numbered.users_below / numbered.other_users
    end as activity_rank,
    case
        when numbered.other_users_in_account = 0 then 0
        else 100.0 * numbered.users_below_in_account / numbered.other_users_in_account
    end as activity_rank_in_account,
    case
        when abs(exact_slopes.slope) <= 100000 then 0
        else cast(sign(coalesce(exact_slopes.slope, slopes.slope)) as integer)
    end as rank_trend
from numbered
inner join slopes
    on
        numbered.account_id = slopes.account_id
        and numbered.user_id = slopes.user_id
left join exact_slopes
    on
        numbered.account_id = exact_slopes.account_id
        and numbered.user_id = exact_slopes.user_id
cross join run_settings
where numbered.day = run_settings.last_full_day
