-- Interactions with the accounts that exist, up to the last full day. One that does not say whether
-- it was completed was.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

interactions as (
    select * from {{ ref('stg_native__interactions') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    interactions.interaction_id,
    interactions.account_id,
    interactions.type,
    interactions.sub_type,
    interactions.origin,
    interactions.contact,
    interactions.subject,
    interactions.description,
    interactions.added_by,
    coalesce(interactions.is_completed, true) as is_completed,
    {{ local_day('interactions.occurred_at', 'run_settings.reporting_time_zone') }}
        as occurred_date,
    interactions.occurred_at,
    interactions.location,
    interactions.line
from interactions
inner join accounts
    on interactions.account_id = accounts.account_id
cross join run_settings
where interactions.occurred_at < run_settings.as_of_at
