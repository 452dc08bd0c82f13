-- One row per account, stage and start, and whether the stage that holds is the one that the
-- account's own record names.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

stages as (
    select * from {{ ref('stg_canonical__stage_history') }}
)

select
    stages.account_id,
    stages.stage,
    stages.ended_at is null as is_current,
    case when stages.ended_at is null then coalesce(stages.stage = accounts.stage, false) end
        as is_stage_of_account,
    stages.started_at,
    stages.ended_at
from stages
inner join accounts
    on stages.account_id = accounts.account_id
