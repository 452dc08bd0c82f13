-- One row per ticket and unbroken time in a state, open or closed: from started_at until ended_at,
-- which is null where it still lasts. Owner of when a ticket is open, of its closes (every time
-- closed starts with one) and its reopenings (every time open but that of its creation). On the
-- local days started_on and ended_on: open at the end of a day if started_on ≤ day < ended_on.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

statuses as (
    select
        *,
        not {{ is_closed_status('value') }} as is_open
    from {{ ref('int_ticket__values') }}
    where field = 'status'
),

-- a change from one open status to another, or from solved to closed, is none of state
turns as (
    select
        *,
        lag(is_open) over (partition by ticket_id order by valid_from) as was_open
    from statuses
    qualify is_open is distinct from was_open
),

states as (
    select
        ticket_id,
        account_id,
        is_open,
        was_open is null as is_creation,
        change_location,
        change_line,
        min(valid_from) over (partition by ticket_id) as created_at,
        valid_from as started_at,
        lead(valid_from) over (partition by ticket_id order by valid_from) as ended_at
    from turns
)

select
    states.*,
    not states.is_open as is_close,
    states.is_open and not states.is_creation as is_reopening,
    {{ local_day('states.started_at', 'run_settings.reporting_time_zone') }} as started_on,
    {{ local_day('states.ended_at', 'run_settings.reporting_time_zone') }} as ended_on
from states
cross join run_settings
