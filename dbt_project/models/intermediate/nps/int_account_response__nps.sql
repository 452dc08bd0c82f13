-- One row per account and instant at which a response was submitted: the NPS over the window that
-- ends there, both ends in, and on the end of which days it is the current one, from `current_from`
-- up to but without `current_to`. Owner of NPS, at any time.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

responses as (
    select
        account_id,
        {{ to_email('user_email') }} as user_email,
        score,
        submitted_at,
        location,
        line,
        file_version
    from {{ ref('stg_canonical__nps_responses') }}
),

-- until when a response is the latest of its user; who does not say who they are is somebody else
-- each time
responses_of_users as (
    select
        account_id,
        score,
        submitted_at,
        case
            when user_email is not null
                then
                    lead(submitted_at) over (
                        partition by account_id, user_email
                        order by submitted_at, location, line, file_version
                    )
        end as next_of_user_at
    from responses
),

instants as (
    select
        account_id,
        submitted_at as latest_at,
        lead(submitted_at) over (partition by account_id order by submitted_at) as next_at
    from responses
    group by account_id, submitted_at
),

windows as (
    select
        instants.account_id,
        {{ local_day('instants.latest_at', 'run_settings.reporting_time_zone') }} as current_from,
        {{ local_day('instants.next_at', 'run_settings.reporting_time_zone') }} as current_to,
        {{ subtract_microseconds(
            'instants.latest_at', 'run_settings.nps_window_days * 86400000000'
        ) }} as window_from_at,
        instants.latest_at
    from instants
    cross join run_settings
),

in_windows as (
    select
        windows.*,
        responses.score,
        coalesce(responses.next_of_user_at > windows.latest_at, true) as is_latest_of_user
    from windows
    inner join responses_of_users as responses
        on
            windows.account_id = responses.account_id
            and windows.window_from_at <= responses.submitted_at
            and windows.latest_at >= responses.submitted_at
),

counted as (
    select
        account_id,
        count(*) as responses,
        cast(sum(score) as bigint) as score_total,
        count(*) filter (where score >= 9) as promoters,
        count(*) filter (where score between 7 and 8) as passives,
        count(*) filter (where score <= 6) as detractors,
        count(*) filter (where is_latest_of_user) as users,
        cast(sum(score) filter (where is_latest_of_user) as bigint) as user_score_total,
        current_from,
        current_to,
        window_from_at,
        latest_at
    from in_windows
    group by account_id, current_from, current_to, window_from_at, latest_at
)

select
    *,
    score_total / responses as nps_current,
    100 * (promoters - detractors) / responses as nps_net,
    user_score_total / users as nps_latest_per_user
from counted
