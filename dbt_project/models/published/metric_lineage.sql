with

run_settings as (
    select * from {{ ref('run_settings') }}
),

lineage as (
    select * from {{ ref('int_metric__lineage') }}
)

select
    lineage.metric,
    lineage.upstream,
    lineage.upstream_kind,
    lineage.depth,
    run_settings.as_of_date
from lineage
cross join run_settings
