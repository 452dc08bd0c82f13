-- A failing row is an account whose tickets are not those that its months count: opened over the 12
-- months, or open at the end of the last full day, by month or by day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

months as (
    select * from {{ ref('int_account_month__tickets') }}
),

days as (
    select * from {{ ref('int_account_day__open_tickets') }}
),

from_tickets as (
    select
        tickets.account_id,
        count(*) filter (where tickets.is_open) as open_tickets,
        count(*) filter (
            where
            {{ local_day('tickets.created_at', 'run_settings.reporting_time_zone') }}
            >= {{ add_months('run_settings.open_month', -11) }}
        ) as opened
    from tickets
    cross join run_settings
    group by tickets.account_id
),

from_months as (
    select
        account_id,
        sum(opened) as opened,
        sum(open_at_end) filter (where is_open_month) as open_tickets
    from months
    group by account_id
),

from_days as (
    select
        days.account_id,
        days.open_tickets
    from days
    inner join run_settings
        on days.day = run_settings.last_full_day
)

select
    from_months.*,
    from_tickets.opened as opened_of_tickets,
    from_tickets.open_tickets as open_of_tickets,
    from_days.open_tickets as open_of_days
from from_months
full join from_tickets
    on from_months.account_id = from_tickets.account_id
left join from_days
    on from_months.account_id = from_days.account_id
where
    coalesce(from_months.opened, 0) != coalesce(from_tickets.opened, 0)
    or coalesce(from_months.open_tickets, 0) != coalesce(from_tickets.open_tickets, 0)
    or from_months.open_tickets != from_days.open_tickets
