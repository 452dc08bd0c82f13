-- One row per account and day of the daily history by which it had a response: the NPS as it stood
-- at the end of that day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

spine as (
    select * from {{ ref('int_account_day__spine') }}
),

-- those that are current at the end of some day of the history
scores as (
    select scores.*
    from {{ ref('int_account_response__nps') }} as scores
    cross join run_settings
    where
        coalesce(scores.current_from < scores.current_to, true)
        and coalesce(scores.current_to > run_settings.figures_first_day, true)
)

select
    spine.account_id,
    scores.nps_current,
    scores.nps_net,
    scores.nps_latest_per_user,
    scores.responses,
    scores.score_total,
    scores.promoters,
    scores.passives,
    scores.detractors,
    scores.latest_at as nps_latest_at,
    spine.day
from spine
inner join scores
    on
        spine.account_id = scores.account_id
        and spine.day >= scores.current_from
        and coalesce(spine.day < scores.current_to, true)
