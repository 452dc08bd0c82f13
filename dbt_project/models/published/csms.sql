with

run_settings as (
    select * from {{ ref('run_settings') }}
),

csms as (
    select * from {{ ref('dim_csms') }}
)

select
    csms.csm_email,
    csms.csm_name,
    csms.accounts,
    csms.is_active,
    csms.can_be_assigned_accounts,
    run_settings.as_of_date
from csms
cross join run_settings
