-- NPS responses of the accounts that exist, submitted up to the last full day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

responses as (
    select * from {{ ref('stg_native__nps_responses') }}
    where record_status = 'current' and not is_dated_after
)

select
    responses.account_id,
    responses.response_id,
    responses.user_email,
    responses.survey_name,
    responses.comment,
    responses.score,
    responses.submitted_at,
    responses.location,
    responses.line,
    responses.file_version
from responses
inner join accounts
    on responses.account_id = accounts.account_id
cross join run_settings
where responses.submitted_at < run_settings.as_of_at
