-- One row per response to an NPS survey, and whether it counts in the account's current NPS.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

responses as (
    select * from {{ ref('stg_canonical__nps_responses') }}
),

scores as (
    select * from {{ ref('int_account__nps') }}
)

select
    responses.account_id,
    responses.response_id,
    responses.user_email,
    responses.survey_name,
    responses.comment,
    responses.score,
    responses.submitted_at >= scores.window_from_at as is_in_window,
    {{ local_day('responses.submitted_at', 'run_settings.reporting_time_zone') }} as submitted_date,
    responses.submitted_at,
    responses.location,
    responses.line,
    responses.file_version
from responses
inner join scores
    on responses.account_id = scores.account_id
cross join run_settings
