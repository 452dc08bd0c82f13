-- One row per subscription record: when it counts, with grace, and what it is worth a month.
-- Owner of "active": every MRR figure asks whether a day lies in [active_from, active_to).
with recursive

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select
        concat(subscription_id, ' ', start_date) as record_id,
        *,
        lead(start_date) over (partition by subscription_id order by start_date) as next_start,
        lead(is_end) over (partition by subscription_id order by start_date) as is_ended_by_next,
        min(case when not is_end then start_date end) over (
            partition by subscription_id
            order by start_date
            rows between 1 following and unbounded following
        ) as next_live_start
    from {{ ref('stg_canonical__subscriptions') }}
),

-- an expiry ends a record only where the subscription does not go on within the grace days
with_own_end as (
    select
        records.*,
        coalesce(
            records.end_date,
            case
                when
                    records.next_start is null
                    or records.next_start
                    > {{ add_days('records.expiration_date', 'run_settings.grace_days') }}
                    then records.expiration_date
            end
        ) as own_end
    from records
    cross join run_settings
    where not records.is_end
),

-- a record that the next one replaces without a gap has not ended
ended as (
    select
        with_own_end.*,
        least(with_own_end.own_end, with_own_end.next_start) as counts_until,
        case
            when with_own_end.own_end < coalesce(with_own_end.next_start, date '9999-12-31')
                then with_own_end.own_end
            when with_own_end.is_ended_by_next then with_own_end.next_start
        end as ended_on
    from with_own_end
),

-- ends after the last full day have not happened
real_ends as (
    select
        ended.*,
        ended.next_live_start
        <= {{ add_days('ended.ended_on', 'run_settings.grace_days') }}
        and ended.next_live_start > ended.ended_on as is_bridged_by_itself
    from ended
    cross join run_settings
    where ended.ended_on < run_settings.as_of_date
),

-- records that may still bridge an end: those that do not bridge one of their own subscription
starts as (
    select
        with_own_end.account_id,
        with_own_end.subscription_id,
        with_own_end.record_id,
        with_own_end.start_date
    from with_own_end
    left join real_ends
        on
            with_own_end.subscription_id = real_ends.subscription_id
            and with_own_end.start_date = real_ends.next_live_start
            and real_ends.is_bridged_by_itself
    where real_ends.record_id is null
),

-- what each start could bridge, nearest end first
candidates as (
    select
        starts.account_id,
        starts.record_id,
        starts.start_date,
        list(
            real_ends.record_id
            order by
                real_ends.ended_on desc,
                real_ends.subscription_id asc,
                real_ends.start_date asc
        ) as bridgeable,
        row_number() over (
            partition by starts.account_id order by starts.start_date, starts.subscription_id
        ) as turn
    from starts
    inner join real_ends
        on
            starts.account_id = real_ends.account_id
            and starts.subscription_id != real_ends.subscription_id
            and starts.start_date > real_ends.ended_on
    cross join run_settings
    where
        starts.start_date
        <= {{ add_days('real_ends.ended_on', 'run_settings.grace_days') }}
        and not coalesce(real_ends.is_bridged_by_itself, false)
    group by starts.account_id, starts.subscription_id, starts.record_id, starts.start_date
),

-- starts take their turns in order of date; each takes the nearest end that is still free
turns as (
    select
        account_id,
        turn,
        start_date,
        bridgeable[1] as bridged_record_id,
        [bridgeable[1]] as taken
    from candidates
    where turn = 1
    union all
    select
        candidates.account_id,
        candidates.turn,
        candidates.start_date,
        list_filter(candidates.bridgeable, x -> not list_contains(turns.taken, x))[1]
            as bridged_record_id,
        list_append(
            turns.taken,
            list_filter(candidates.bridgeable, x -> not list_contains(turns.taken, x))[1]
        ) as taken
    from turns
    inner join candidates
        on
            turns.account_id = candidates.account_id
            and turns.turn + 1 = candidates.turn
),

bridges as (
    select
        bridged_record_id,
        start_date as bridged_until
    from turns
    where bridged_record_id is not null
),

timed as (
    select
        ended.*,
        real_ends.record_id is not null
        and bridges.bridged_until is null
        and not coalesce(real_ends.is_bridged_by_itself, false)
        and {{ add_days('real_ends.ended_on', 'run_settings.grace_days') }}
        > run_settings.last_full_day as is_provisional,
        coalesce(
            bridges.bridged_until,
            case when real_ends.is_bridged_by_itself then real_ends.next_live_start end
        ) as bridged_until
    from ended
    left join real_ends
        on ended.record_id = real_ends.record_id
    left join bridges
        on ended.record_id = bridges.bridged_record_id
    cross join run_settings
),

with_active_time as (
    select
        timed.*,
        timed.start_date as active_from,
        case
            when timed.is_provisional then run_settings.as_of_date
            else coalesce(timed.bridged_until, timed.counts_until)
        end as active_to
    from timed
    cross join run_settings
),

-- a run: records of one subscription and currency that follow each other without a gap
with_run_starts as (
    select
        *,
        coalesce(
            currency != lag(currency) over (partition by subscription_id order by start_date)
            or start_date > lag(active_to) over (partition by subscription_id order by start_date),
            true
        ) as starts_run
    from with_active_time
),

with_runs as (
    select
        *,
        count_if(starts_run) over (
            partition by subscription_id order by start_date rows unbounded preceding
        ) as run_number
    from with_run_starts
)

select
    record_id,
    subscription_id,
    account_id,
    plan_code,
    currency,
    cycle_unit,
    cycle_length,
    total_revenue,
    {{ times_ratio(
        'total_revenue',
        "case cycle_unit when 'week' then 52 when 'day' then 365 else 1 end",
        "(cycle_length * case cycle_unit when 'month' then 1 when 'quarter' then 3 else 12 end)",
    ) }} as monthly_amount,
    is_trial,
    is_renewal,
    is_provisional,
    start_date,
    end_date,
    expiration_date,
    active_from,
    active_to,
    case when is_provisional then ended_on end as provisional_end_date,
    min(start_date) over (partition by subscription_id, run_number) as rate_date,
    location,
    line
from with_runs
