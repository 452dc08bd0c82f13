with

run_settings as (
    select * from {{ ref('run_settings') }}
),

dimensions as (
    select * from {{ ref('int_account__dimensions') }}
)

select
    dimensions.account_id,
    dimensions.entity,
    dimensions.entity_id,
    dimensions.kind,
    dimensions.key,
    dimensions.position,
    dimensions.label_value,
    dimensions.problem,
    dimensions.number_value,
    dimensions.event_at,
    run_settings.as_of_date
from dimensions
cross join run_settings
