-- One row per account, day of credit, kind (stock, flow), basis (as_of, current) and CSM: who is
-- credited with what the account has on that day; '(unassigned)' where nobody is. Owner of
-- attribution. As of the day it is who was assigned on it; of an event on a day without anybody,
-- who was taken off on that day or the day before, since a churn may unassign. By the current basis
-- it is who is assigned on the last full day, whatever the day of credit.
with

assignments as (
    select * from {{ ref('int_account_csm__assignments') }}
),

credit_days as (
    select
        account_id,
        kind,
        credited_on
    from {{ ref('int_account_month__creditable') }}
    group by account_id, kind, credited_on
),

assigned as (
    select
        credit_days.account_id,
        credit_days.kind,
        assignments.csm_email,
        coalesce(assignments.unassigned_on > credit_days.credited_on, true) as is_valid,
        credit_days.credited_on
    from credit_days
    inner join assignments
        on
            credit_days.account_id = assignments.account_id
            and credit_days.credited_on >= assignments.assigned_on
    where
        coalesce(assignments.unassigned_on > credit_days.credited_on, true)
        or (
            credit_days.kind = 'flow'
            and assignments.unassigned_on >= {{ add_days('credit_days.credited_on', -1) }}
        )
),

held as (
    select *
    from assigned
    qualify
        is_valid
        or not bool_or(is_valid) over (partition by account_id, kind, credited_on)
),

-- one who was taken off twice in these two days is one
credited as (
    select
        account_id,
        kind,
        'as_of' as basis,
        csm_email,
        credited_on
    from held
    group by account_id, kind, csm_email, credited_on
    union all
    select
        credit_days.account_id,
        credit_days.kind,
        'current' as basis,
        assignments.csm_email,
        credit_days.credited_on
    from credit_days
    inner join assignments
        on credit_days.account_id = assignments.account_id
    where assignments.unassigned_on is null
),

bases as (
    select unnest(['as_of', 'current']) as basis
)

select
    credit_days.account_id,
    credit_days.kind,
    bases.basis,
    coalesce(credited.csm_email, '(unassigned)') as csm_email,
    count(*) over csms_of_account as csm_count,
    row_number() over (csms_of_account order by credited.csm_email) as csm_number,
    credit_days.credited_on
from credit_days
cross join bases
left join credited
    on
        credit_days.account_id = credited.account_id
        and credit_days.kind = credited.kind
        and credit_days.credited_on = credited.credited_on
        and bases.basis = credited.basis
window csms_of_account as (
    partition by credit_days.account_id, credit_days.kind, credit_days.credited_on, bases.basis
)
