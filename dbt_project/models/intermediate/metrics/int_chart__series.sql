-- One row per chart and metric in it: how the metric is drawn, by its own aggregation where the
-- charts file names none. A custom metric that the source has never recorded has no row.
with

charts as (
    select * from {{ source('run', 'charts') }}
),

metrics as (
    select * from {{ ref('int_metric__catalog') }}
)

select
    row_number() over (order by charts.chart, charts.metric) as series_number,
    charts.chart,
    charts.title,
    charts.kind,
    charts.period,
    charts.metric,
    coalesce(charts.aggregation, metrics.default_aggregation) as aggregation,
    metrics.is_custom
from charts
inner join metrics
    on charts.metric = metrics.metric
