-- Assignments of CSMs to the accounts that exist, begun up to the last full day; one that ends
-- later still holds, one whose record was deleted ended on that day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

assignments as (
    select * from {{ ref('stg_native__account_assignments') }}
    where record_status = 'current' and not is_dated_after
),

emails as (
    select * from {{ ref('stg_canonical__csm_emails') }}
),

dated as (
    select
        assignments.account_id,
        coalesce(emails.email, assignments.csm_email) as csm_email,
        assignments.csm_email as recorded_csm_email,
        assignments.assigned_at,
        assignments.location,
        {{ local_day('assignments.assigned_at', 'run_settings.reporting_time_zone') }}
            as assigned_on,
        least(
            case
                when assignments.unassigned_at < run_settings.as_of_at
                    then {{ local_day(
                        'assignments.unassigned_at', 'run_settings.reporting_time_zone'
                    ) }}
            end,
            assignments.deleted_on
        ) as unassigned_on
    from assignments
    left join emails
        on assignments.csm_email = emails.old_email
    cross join run_settings
    where assignments.assigned_at < run_settings.as_of_at
)

select
    dated.account_id,
    dated.csm_email,
    dated.recorded_csm_email,
    dated.location,
    dated.assigned_at,
    dated.assigned_on,
    case
        when dated.unassigned_on is not null
            then greatest(dated.assigned_on, dated.unassigned_on)
    end as unassigned_on
from dated
inner join accounts
    on dated.account_id = accounts.account_id
