with

run_settings as (
    select * from {{ ref('run_settings') }}
),

states as (
    select * from {{ ref('fct_ticket_states') }}
)

select
    states.ticket_id,
    states.account_id,
    states.source_table,
    states.is_open,
    states.is_creation,
    states.is_close,
    states.is_reopening,
    states.started_on as started_date,
    states.ended_on as ended_date,
    states.started_at,
    states.ended_at,
    states.location,
    states.line,
    run_settings.as_of_date
from states
cross join run_settings
