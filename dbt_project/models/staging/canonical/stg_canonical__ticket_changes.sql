-- Changes of the tickets of `stg_canonical__tickets`, made up to the last full day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tickets as (
    select * from {{ ref('stg_canonical__tickets') }}
),

changes as (
    select * from {{ ref('stg_native__ticket_changes') }}
    where record_status = 'current' and not is_dated_after
)

select
    changes.ticket_id,
    tickets.account_id,
    changes.field,
    {%- for value in ['old_value', 'new_value'] %}
    case changes.field
        when 'status' then {{ ticket_status('changes.' ~ value) }}
        else {{ ticket_label('changes.' ~ value) }}
    end as {{ value }},
    {%- endfor %}
    tickets.created_at,
    changes.changed_at,
    changes.location,
    changes.line
from changes
inner join tickets
    on changes.ticket_id = tickets.ticket_id
cross join run_settings
where changes.changed_at < run_settings.as_of_at
