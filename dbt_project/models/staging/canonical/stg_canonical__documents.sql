-- Documents of the accounts that exist, added up to the last full day, or at a time that nobody
-- states.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

documents as (
    select * from {{ ref('stg_native__documents') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    documents.document_id,
    documents.account_id,
    documents.name,
    documents.kind,
    documents.document_type,
    documents.url,
    documents.description,
    documents.added_by,
    documents.added_at,
    documents.location,
    documents.line
from documents
inner join accounts
    on documents.account_id = accounts.account_id
cross join run_settings
where coalesce(documents.added_at < run_settings.as_of_at, true)
