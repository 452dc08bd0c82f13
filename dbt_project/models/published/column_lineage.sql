with

run_settings as (
    select * from {{ ref('run_settings') }}
),

lineage as (
    select * from {{ ref('int_column__lineage') }}
)

select
    lineage.table_name,
    lineage.column_name,
    lineage.upstream_table,
    lineage.upstream_column,
    lineage.upstream_kind,
    lineage.depth,
    run_settings.as_of_date
from lineage
cross join run_settings
