with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_csm_months') }}
)

select
    months.*,
    run_settings.as_of_date
from months
cross join run_settings
