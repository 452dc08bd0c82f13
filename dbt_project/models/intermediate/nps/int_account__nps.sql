-- One row per account with a response: its NPS at the end of the last full day. It is stale where
-- the latest response lies further back than the window is long, counted in days before the as-of
-- date.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

scores as (
    select * from {{ ref('int_account_response__nps') }}
    where current_to is null
)

select
    scores.account_id,
    scores.nps_current,
    scores.nps_net,
    scores.nps_latest_per_user,
    scores.responses,
    scores.score_total,
    scores.promoters,
    scores.passives,
    scores.detractors,
    scores.users,
    scores.user_score_total,
    scores.current_from < {{ add_days(
        'run_settings.as_of_date', '-run_settings.nps_window_days'
    ) }} as is_stale,
    scores.window_from_at,
    scores.latest_at as nps_latest_at
from scores
cross join run_settings
