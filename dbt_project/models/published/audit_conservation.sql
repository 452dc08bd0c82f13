with

run_settings as (
    select * from {{ ref('run_settings') }}
),

entities as (
    select * from {{ ref('int_entity__conservation') }}
)

select
    entities.domain,
    entities.entity,
    entities.records_read,
    entities.current_rows,
    entities.dated_after_rows,
    entities.superseded,
    entities.duplicates,
    entities.unattributed,
    entities.rejected,
    entities.erased,
    entities.difference,
    run_settings.as_of_date
from entities
cross join run_settings
