with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_ticket_months') }}
)

select
    months.ticket_id,
    months.account_id,
    months.priority,
    months.type,
    months.age_seconds,
    months.is_open_at_start,
    months.is_open_at_end,
    months.was_open,
    months.month,
    months.location,
    months.line,
    run_settings.as_of_date
from months
cross join run_settings
