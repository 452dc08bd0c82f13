-- CSMs that the source lists, under the e-mail they go by now.
with

csms as (
    select * from {{ ref('stg_native__csms') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

emails as (
    select * from {{ ref('stg_canonical__csm_emails') }}
)

-- a record of an e-mail that was replaced says nothing where the new one has its own
select
    coalesce(emails.email, csms.email) as csm_email,
    csms.name as csm_name,
    csms.is_active,
    csms.can_be_assigned_accounts
from csms
left join emails
    on csms.email = emails.old_email
qualify
    row_number() over (
        partition by coalesce(emails.email, csms.email)
        order by emails.email is null desc, csms.version_at desc nulls last, csms.email asc
    ) = 1
