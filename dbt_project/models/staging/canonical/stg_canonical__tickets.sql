-- Tickets of the accounts that exist, created up to the last full day. A close after it has not
-- happened yet, and what the status was before is not known: open.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

tickets as (
    select * from {{ ref('stg_native__tickets') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

dated as (
    select
        tickets.* replace ({{ ticket_status('tickets.status') }} as status),
        coalesce(tickets.closed_at >= run_settings.as_of_at, false) as closes_later
    from tickets
    cross join run_settings
)

select
    dated.ticket_id,
    dated.account_id,
    dated.subject,
    case
        when dated.closes_later and {{ is_closed_status('dated.status') }} then 'open'
        else dated.status
    end as status,
    {{ ticket_label('dated.priority') }} as priority,
    {{ ticket_label('dated.type') }} as type,
    dated.requester_email,
    dated.assignee,
    dated.channel,
    dated.url,
    dated.created_at,
    case when not dated.closes_later then dated.closed_at end as closed_at,
    dated.version_at,
    dated.location,
    dated.line
from dated
inner join accounts
    on dated.account_id = accounts.account_id
cross join run_settings
where dated.created_at < run_settings.as_of_at
