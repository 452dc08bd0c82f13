with

run_settings as (
    select * from {{ ref('run_settings') }}
),

goals as (
    select * from {{ ref('stg_canonical__goals') }}
)

select
    goals.account_id,
    goals.goal_id,
    goals.name,
    goals.status,
    goals.priority,
    goals.owner_email,
    goals.progress,
    goals.start_date,
    goals.due_date,
    goals.completed_at,
    run_settings.as_of_date
from goals
cross join run_settings
