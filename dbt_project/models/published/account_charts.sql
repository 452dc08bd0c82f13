with

run_settings as (
    select * from {{ ref('run_settings') }}
),

points as (
    select * from {{ ref('fct_account_chart_points') }}
)

select
    points.account_id,
    points.chart,
    points.title,
    points.kind,
    points.metric,
    points.aggregation,
    points.value,
    points.is_open_period,
    points.period,
    run_settings.as_of_date
from points
cross join run_settings
