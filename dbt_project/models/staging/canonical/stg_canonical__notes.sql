-- Notes about the accounts that exist, written up to the last full day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

notes as (
    select * from {{ ref('stg_native__notes') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    notes.note_id,
    notes.account_id,
    notes.interaction_id,
    case when notes.interaction_id is null then 'note' else 'touchpoint_note' end as kind,
    notes.body,
    notes.author,
    notes.created_at,
    notes.updated_at,
    notes.location,
    notes.line
from notes
inner join accounts
    on notes.account_id = accounts.account_id
cross join run_settings
where notes.created_at < run_settings.as_of_at
