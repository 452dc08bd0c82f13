-- One row per ticket and month, of the 12 that end in the month of the last full day, in which it
-- was open or closed: how it counts in the month, with the priority and the type that it had at the
-- month's end, or before its last close in it.
with

months as (
    select * from {{ ref('int_ticket_month__state') }}
),

tickets as (
    select * from {{ ref('stg_canonical__tickets') }}
),

labels as (
    select
        months.ticket_id,
        months.month,
        max(labels.value) filter (where labels.field = 'priority') as priority,
        max(labels.value) filter (where labels.field = 'type') as type
    from months
    inner join {{ ref('int_ticket__values') }} as labels
        on
            months.ticket_id = labels.ticket_id
            and labels.field in ('priority', 'type')
            and labels.valid_from < months.counted_until
            and coalesce(labels.valid_to >= months.counted_until, true)
    group by months.ticket_id, months.month
)

select
    months.ticket_id,
    months.account_id,
    labels.priority,
    labels.type,
    {{ microseconds_to_seconds('months.age_microseconds') }} as age_seconds,
    months.is_open_at_start,
    months.is_open_at_end,
    months.was_open,
    tickets.location,
    tickets.line,
    months.month
from months
inner join tickets
    on months.ticket_id = tickets.ticket_id
left join labels
    on
        months.ticket_id = labels.ticket_id
        and months.month = labels.month
