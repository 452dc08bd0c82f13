-- One row per ticket and month, of the 12 that end in the month of the last full day, in which it
-- was open or closed. A ticket stands in one group of a month: open at its end, or closed by its
-- last close in it; counted_until is that end or that close, and its age is the time from its
-- creation to there. Owner of ages of tickets.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

states as (
    select * from {{ ref('int_ticket__states') }}
),

months as (
    select
        {{ each_month(add_months('open_month', -11), 'open_month') }} as month,
        last_full_day,
        reporting_time_zone
    from run_settings
),

month_ends as (
    select
        month,
        least({{ last_day_of_month('month') }}, last_full_day) as last_day,
        reporting_time_zone
    from months
),

states_in_month as (
    select
        month_ends.month,
        states.ticket_id,
        states.account_id,
        states.created_at,
        states.is_open,
        states.started_on >= month_ends.month as starts_in_month,
        states.is_creation,
        states.is_close,
        states.is_reopening,
        states.started_at,
        {{ start_of_day(add_days('month_ends.last_day', 1), 'month_ends.reporting_time_zone') }}
            as month_ended_at,
        states.is_open and states.started_on < month_ends.month as is_open_at_start,
        states.is_open and coalesce(states.ended_on > month_ends.last_day, true) as is_open_at_end
    from month_ends
    inner join states
        on
            states.started_on <= month_ends.last_day
            and coalesce(states.ended_on >= month_ends.month, true)
    where states.is_open or states.started_on >= month_ends.month
),

tickets as (
    select
        ticket_id,
        account_id,
        month,
        created_at,
        count(*) filter (where starts_in_month and is_creation) as opened,
        count(*) filter (where starts_in_month and is_close) as closed,
        count(*) filter (where starts_in_month and is_reopening) as reopened,
        bool_or(is_open_at_start) as is_open_at_start,
        bool_or(is_open_at_end) as is_open_at_end,
        bool_or(is_open) as was_open,
        case
            when bool_or(is_open_at_end) then max(month_ended_at)
            else max(started_at) filter (where is_close)
        end as counted_until
    from states_in_month
    group by ticket_id, account_id, month, created_at
)

select
    *,
    {{ microseconds_between('created_at', 'counted_until') }} as age_microseconds
from tickets
