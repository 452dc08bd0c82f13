with

run_settings as (
    select * from {{ ref('run_settings') }}
),

responses as (
    select * from {{ ref('fct_nps_responses') }}
)

select
    responses.account_id,
    responses.response_id,
    responses.user_email,
    responses.survey_name,
    responses.comment,
    responses.score,
    responses.is_in_window,
    responses.submitted_date,
    responses.submitted_at,
    responses.location,
    responses.line,
    responses.file_version,
    run_settings.as_of_date
from responses
cross join run_settings
