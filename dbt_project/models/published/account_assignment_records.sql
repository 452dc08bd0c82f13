with

run_settings as (
    select * from {{ ref('run_settings') }}
),

assignments as (
    select * from {{ ref('stg_canonical__account_assignments') }}
)

select
    assignments.account_id,
    assignments.csm_email,
    assignments.recorded_csm_email,
    assignments.location,
    assignments.assigned_at,
    assignments.assigned_on as assigned_date,
    assignments.unassigned_on as unassigned_date,
    run_settings.as_of_date
from assignments
cross join run_settings
