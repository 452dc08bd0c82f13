with

run_settings as (
    select * from {{ ref('run_settings') }}
),

scores as (
    select * from {{ ref('int_account__nps') }}
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
    scores.is_stale,
    scores.window_from_at,
    scores.nps_latest_at as latest_at,
    run_settings.as_of_date
from scores
cross join run_settings
