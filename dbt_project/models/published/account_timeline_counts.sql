with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_timeline_months') }}
)

select
    months.account_id,
    months.source,
    months.items,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
