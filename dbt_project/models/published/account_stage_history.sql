with

run_settings as (
    select * from {{ ref('run_settings') }}
),

stages as (
    select * from {{ ref('fct_account_stages') }}
)

select
    stages.account_id,
    stages.stage,
    stages.is_current,
    stages.is_stage_of_account,
    stages.started_at,
    stages.ended_at,
    run_settings.as_of_date
from stages
cross join run_settings
