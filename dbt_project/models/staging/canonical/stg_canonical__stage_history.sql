-- Stages that the accounts that exist entered up to the last full day; a later end is unset. A
-- stage without an end ended when the next one of its account began.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

stages as (
    select * from {{ ref('stg_native__stage_history') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    stages.account_id,
    stages.stage,
    stages.started_at,
    coalesce(
        case when stages.ended_at < run_settings.as_of_at then stages.ended_at end,
        lead(stages.started_at) over (
            partition by stages.account_id order by stages.started_at, stages.stage
        )
    ) as ended_at,
    stages.location,
    stages.line
from stages
inner join accounts
    on stages.account_id = accounts.account_id
cross join run_settings
where stages.started_at < run_settings.as_of_at
