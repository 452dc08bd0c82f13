with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_timeline_months_rollup') }}
)

select
    months.account_id,
    months.descendants,
    months.source,
    cast(months.items as bigint) as items,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
