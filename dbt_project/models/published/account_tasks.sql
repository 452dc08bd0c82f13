with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tasks as (
    select * from {{ ref('int_task__age') }}
)

select
    tasks.account_id,
    tasks.task_id,
    tasks.alert_id,
    tasks.type,
    tasks.title,
    tasks.status,
    tasks.priority,
    tasks.assignee_email,
    tasks.outcome,
    tasks.age_days,
    tasks.is_open,
    tasks.is_overdue,
    tasks.due_date,
    tasks.created_at,
    tasks.closed_at,
    tasks.location,
    tasks.line,
    run_settings.as_of_date
from tasks
cross join run_settings
