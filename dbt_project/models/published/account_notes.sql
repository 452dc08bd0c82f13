with

run_settings as (
    select * from {{ ref('run_settings') }}
),

notes as (
    select * from {{ ref('stg_canonical__notes') }}
)

select
    notes.account_id,
    notes.note_id,
    notes.interaction_id,
    notes.kind,
    notes.body,
    notes.author,
    notes.created_at,
    notes.updated_at,
    run_settings.as_of_date
from notes
cross join run_settings
