-- One row per account, CSM and period of assignment: [assigned_on, unassigned_on). Owner of who was
-- assigned when. An account's history is told by the lists of its successive records, up to the
-- first assignment that has a record of its own, and by those records from there on. A CSM listed
-- twice, or under two e-mails, is one.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

emails as (
    select * from {{ ref('stg_canonical__csm_emails') }}
),

assignments as (
    select * from {{ ref('stg_canonical__account_assignments') }}
),

first_assignments as (
    select
        account_id,
        min(assigned_on) as first_assigned_on
    from assignments
    group by account_id
),

-- a version without a list says nothing of CSMs; one without a date counts from the join date
lists as (
    select
        versions.account_id,
        versions.assigned_csms,
        versions.version_date,
        coalesce(
            versions.version_date,
            least(
                accounts.join_date,
                min(versions.version_date) over (partition by versions.account_id)
            )
        ) as listed_from
    from {{ ref('stg_canonical__account_versions') }} as versions
    inner join accounts
        on versions.account_id = accounts.account_id
    where versions.assigned_csms is not null
),

lists_until as (
    select
        *,
        lead(listed_from) over (
            partition by account_id order by version_date nulls first
        ) as listed_until
    from lists
),

entries as (
    select
        account_id,
        listed_from,
        listed_until,
        {{ each_json_entry('assigned_csms') }} as entry
    from lists_until
),

listed as (
    select
        account_id,
        listed_from,
        listed_until,
        {{ to_email(json_field('entry', 'email')) }} as csm_email
    from entries
),

periods as (
    select
        account_id,
        csm_email,
        assigned_on,
        unassigned_on
    from assignments
    union all
    select
        listed.account_id,
        coalesce(emails.email, listed.csm_email) as csm_email,
        listed.listed_from as assigned_on,
        least(listed.listed_until, first_assignments.first_assigned_on) as unassigned_on
    from listed
    left join emails
        on listed.csm_email = emails.old_email
    left join first_assignments
        on listed.account_id = first_assignments.account_id
    where
        listed.csm_email is not null
        and coalesce(listed.listed_from < first_assignments.first_assigned_on, true)
),

-- periods that overlap or follow each other without a gap are one
marked as (
    select
        *,
        coalesce(
            assigned_on > max(coalesce(unassigned_on, date '9999-12-31')) over (
                partition by account_id, csm_email
                order by assigned_on, unassigned_on
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins
    from periods
),

numbered as (
    select
        *,
        count_if(begins) over (
            partition by account_id, csm_email
            order by assigned_on, unassigned_on
            rows unbounded preceding
        ) as period
    from marked
)

select
    account_id,
    csm_email,
    min(assigned_on) as assigned_on,
    case when count(unassigned_on) = count(*) then max(unassigned_on) end as unassigned_on
from numbered
group by account_id, csm_email, period
