-- One row per CSM that the source lists or that was ever assigned: what is known of it, and the
-- number of accounts it is assigned to on the last full day.
with

csms as (
    select * from {{ ref('stg_canonical__csms') }}
),

assigned as (
    select
        csm_email,
        count(*) filter (where unassigned_on is null) as accounts
    from {{ ref('int_account_csm__assignments') }}
    group by csm_email
)

select
    coalesce(csms.csm_email, assigned.csm_email) as csm_email,
    csms.csm_name,
    csms.is_active,
    csms.can_be_assigned_accounts,
    coalesce(assigned.accounts, 0) as accounts
from csms
full join assigned
    on csms.csm_email = assigned.csm_email
