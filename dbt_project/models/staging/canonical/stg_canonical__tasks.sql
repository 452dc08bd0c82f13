-- Tasks about the accounts that exist, created up to the last full day. The status says whether one
-- is open where its word is known, else the presence of a closing date does. One that is closed
-- later is open; one that is closed without a date was closed when its record last changed.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

tasks as (
    select * from {{ ref('stg_native__tasks') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

dated as (
    select
        tasks.*,
        coalesce(tasks.closed_at >= run_settings.as_of_at, false) as closes_later,
        replace(lower(trim(tasks.status)), '_', ' ') as status_word
    from tasks
    cross join run_settings
    where tasks.created_at < run_settings.as_of_at
),

told_apart as (
    select
        *,
        case
            when closes_later then true
            when
                status_word in (
                    'closed', 'complete', 'completed', 'done', 'resolved', 'dismissed', 'canceled',
                    'cancelled'
                )
                then false
            when
                status_word in (
                    'open', 'new', 'not started', 'in progress', 'pending', 'on hold', 'reopened'
                )
                then true
            else closed_at is null
        end as is_open
    from dated
)

select
    tasks.task_id,
    tasks.account_id,
    tasks.alert_id,
    tasks.type,
    tasks.title,
    case when tasks.closes_later then 'open' else tasks.status end as status,
    tasks.priority,
    tasks.assignee_email,
    case when not tasks.is_open then tasks.outcome end as outcome,
    tasks.is_open,
    tasks.due_date,
    tasks.created_at,
    case
        when not tasks.is_open
            then
                coalesce(
                    tasks.closed_at,
                    case when tasks.updated_at >= tasks.created_at then tasks.updated_at end
                )
    end as closed_at,
    tasks.location,
    tasks.line
from told_apart as tasks
inner join accounts
    on tasks.account_id = accounts.account_id
