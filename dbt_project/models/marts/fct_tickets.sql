-- One row per ticket: as it stands at the end of the last full day, and how old it is.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tickets as (
    select * from {{ ref('stg_canonical__tickets') }}
),

current_values as (
    select * from {{ ref('int_ticket__values') }}
    where valid_to is null
),

states as (
    select * from {{ ref('int_ticket__states') }}
    where ended_at is null
),

{% set fields = ['status', 'priority', 'type'] -%}
described as (
    select
        {% for field in fields -%}
        max(value) filter (where field = '{{ field }}') as {{ field }},
        {% endfor -%}
        bool_or(is_from_changes) filter (where field = 'status') as has_status_changes,
        ticket_id
    from current_values
    group by ticket_id
)

select
    tickets.ticket_id,
    tickets.account_id,
    tickets.subject,
    described.status,
    described.priority,
    described.type,
    tickets.url,
    {{ microseconds_between(
        'tickets.created_at',
        'case when states.is_open then run_settings.as_of_at else states.started_at end',
    ) }} as age_microseconds,
    age_microseconds / 86400e6 as age_days,
    states.is_open,
    described.has_status_changes,
    states.is_open and tickets.closed_at is not null as has_ignored_close,
    not states.is_open and not described.has_status_changes and tickets.closed_at is null
        as is_close_assumed,
    tickets.created_at,
    case when not states.is_open then states.started_at end as closed_at,
    tickets.location,
    tickets.line
from tickets
inner join described
    on tickets.ticket_id = described.ticket_id
inner join states
    on tickets.ticket_id = states.ticket_id
cross join run_settings
