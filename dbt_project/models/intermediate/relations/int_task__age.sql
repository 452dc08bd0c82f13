-- One row per task: how many days it has been open, or was, and whether it is overdue.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tasks as (
    select * from {{ ref('stg_canonical__tasks') }}
)

select
    tasks.*,
    {{ days_between(
        local_day('tasks.created_at', 'run_settings.reporting_time_zone'),
        'case when tasks.is_open then run_settings.last_full_day else '
        ~ local_day('tasks.closed_at', 'run_settings.reporting_time_zone')
        ~ ' end',
    ) }} as age_days,
    tasks.is_open and coalesce(tasks.due_date < run_settings.as_of_date, false) as is_overdue
from tasks
cross join run_settings
