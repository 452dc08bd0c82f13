-- One row per account, month, dimension (priority, type) and value that a ticket open in the month
-- had: how many were open at its end, and at any time in it. A ticket counts under the value it had
-- at the end of the month, or before its last close in it.
with

tickets as (
    select * from {{ ref('int_ticket_month__state') }}
    where was_open
),

labels as (
    select * from {{ ref('int_ticket__values') }}
    where field in ('priority', 'type')
)

select
    tickets.account_id,
    tickets.month,
    labels.field as dimension,
    labels.value,
    count(*) filter (where tickets.is_open_at_end) as open_at_end,
    count(*) as open_during_month,
    count(*) filter (where not labels.is_from_changes) as known_as_current_only
from tickets
inner join labels
    on
        tickets.ticket_id = labels.ticket_id
        and labels.valid_from < tickets.counted_until
        and coalesce(labels.valid_to >= tickets.counted_until, true)
group by tickets.account_id, tickets.month, labels.field, labels.value
