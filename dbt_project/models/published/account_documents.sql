with

run_settings as (
    select * from {{ ref('run_settings') }}
),

documents as (
    select * from {{ ref('stg_canonical__documents') }}
)

select
    documents.account_id,
    documents.document_id,
    documents.name,
    documents.kind,
    documents.document_type,
    documents.url,
    documents.description,
    documents.added_by,
    documents.added_at,
    run_settings.as_of_date
from documents
cross join run_settings
