-- Goals of the accounts that exist. Of one that is completed after the last full day nobody states
-- how far it was until then.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

goals as (
    select * from {{ ref('stg_native__goals') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

dated as (
    select
        goals.*,
        coalesce(goals.completed_at >= run_settings.as_of_at, false) as completes_later
    from goals
    cross join run_settings
)

select
    dated.goal_id,
    dated.account_id,
    dated.name,
    case when not dated.completes_later then dated.status end as status,
    dated.priority,
    dated.owner_email,
    case when not dated.completes_later then dated.progress end as progress,
    dated.start_date,
    dated.due_date,
    case when not dated.completes_later then dated.completed_at end as completed_at,
    dated.location,
    dated.line
from dated
inner join accounts
    on dated.account_id = accounts.account_id
