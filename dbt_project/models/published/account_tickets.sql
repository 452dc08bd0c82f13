with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
)

select
    tickets.ticket_id,
    tickets.account_id,
    tickets.subject,
    tickets.status,
    tickets.priority,
    tickets.type,
    tickets.url,
    {{ microseconds_to_seconds('tickets.age_microseconds') }} as age_seconds,
    tickets.age_days,
    tickets.is_open,
    tickets.has_status_changes,
    tickets.has_ignored_close,
    tickets.is_close_assumed,
    tickets.created_at,
    tickets.closed_at,
    tickets.location,
    tickets.line,
    run_settings.as_of_date
from tickets
cross join run_settings
