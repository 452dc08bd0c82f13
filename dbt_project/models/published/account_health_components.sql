with

run_settings as (
    select * from {{ ref('run_settings') }}
),

components as (
    select * from {{ ref('fct_account_health_components') }}
)

select
    components.account_id,
    components.configuration,
    components.component,
    components.weight,
    components.score,
    components.contribution,
    components.day,
    run_settings.as_of_date
from components
cross join run_settings
