-- One row per ticket and unbroken time in a state, open or closed, with the record that says when
-- it began: a change of the ticket, else the ticket itself.
with

states as (
    select * from {{ ref('int_ticket__states') }}
),

tickets as (
    select * from {{ ref('stg_canonical__tickets') }}
)

select
    states.ticket_id,
    states.account_id,
    case
        when states.change_location is null then 'tickets.tickets'
        else 'tickets.ticket_changes'
    end as source_table,
    coalesce(states.change_location, tickets.location) as location,
    case when states.change_location is null then tickets.line else states.change_line end as line,
    states.is_open,
    states.is_creation,
    states.is_close,
    states.is_reopening,
    states.started_on,
    states.ended_on,
    states.started_at,
    states.ended_at
from states
inner join tickets
    on states.ticket_id = tickets.ticket_id
