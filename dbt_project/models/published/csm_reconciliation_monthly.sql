with

run_settings as (
    select * from {{ ref('run_settings') }}
),

figures as (
    select * from {{ ref('fct_csm_reconciliation_months') }}
)

select
    figures.*,
    run_settings.as_of_date
from figures
cross join run_settings
