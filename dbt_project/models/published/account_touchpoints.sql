with

run_settings as (
    select * from {{ ref('run_settings') }}
),

interactions as (
    select * from {{ ref('stg_canonical__interactions') }}
)

select
    interactions.account_id,
    interactions.interaction_id,
    interactions.type,
    interactions.sub_type,
    interactions.origin,
    interactions.contact,
    interactions.subject,
    interactions.description,
    interactions.added_by,
    interactions.is_completed,
    interactions.occurred_date,
    interactions.occurred_at,
    interactions.location,
    interactions.line,
    run_settings.as_of_date
from interactions
cross join run_settings
