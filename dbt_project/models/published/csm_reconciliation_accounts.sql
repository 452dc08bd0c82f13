with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('fct_csm_reconciliation_accounts') }}
)

select
    accounts.*,
    run_settings.as_of_date
from accounts
cross join run_settings
