-- One row per account: what is open, and when somebody was last in touch.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

tasks as (
    select
        account_id,
        count(*) filter (where is_open) as open_tasks,
        count(*) filter (where is_overdue) as overdue_tasks
    from {{ ref('int_task__age') }}
    group by account_id
),

alerts as (
    select
        account_id,
        count(*) filter (where is_open) as open_alerts
    from {{ ref('int_alert__age') }}
    group by account_id
),

touchpoints as (
    select
        account_id,
        max(occurred_at) as last_touchpoint_at
    from {{ ref('stg_canonical__interactions') }}
    where is_completed
    group by account_id
)

select
    accounts.account_id,
    coalesce(tasks.open_tasks, 0) as open_tasks,
    coalesce(tasks.overdue_tasks, 0) as overdue_tasks,
    coalesce(alerts.open_alerts, 0) as open_alerts,
    touchpoints.last_touchpoint_at
from accounts
left join tasks
    on accounts.account_id = tasks.account_id
left join alerts
    on accounts.account_id = alerts.account_id
left join touchpoints
    on accounts.account_id = touchpoints.account_id
