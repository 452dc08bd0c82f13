-- One row per account and day with a health score. Owner of the score: the mean of the components
-- that have one, by weight, half up. A day on which no metric is known has no score and no row.
with

components as (
    select * from {{ ref('int_account_day__health_components') }}
),

scored as (
    select
        account_id,
        any_value(configuration) as configuration,
        {{ divide_half_up(
            'sum(weight_millionths * score)',
            'sum(weight_millionths) filter (where score is not null)',
        ) }} as health_score,
        sum(contribution_millionths) as points_millionths,
        flatten(list(missing_metrics)) as missing_metrics,
        day
    from components
    group by account_id, day
)

select
    account_id,
    cast(health_score as integer) as health_score,
    {{ millionths_to_decimal('points_millionths') }} as health_points,
    case
        when health_score <= 30 then 'unhealthy'
        when health_score <= 70 then 'neutral'
        else 'healthy'
    end as health_band,
    configuration,
    {{ sorted_once('missing_metrics') }} as missing_metrics,
    day
from scored
