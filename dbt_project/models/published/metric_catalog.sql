with

run_settings as (
    select * from {{ ref('run_settings') }}
),

metrics as (
    select * from {{ ref('int_metric__catalog') }}
)

select
    metrics.metric,
    metrics.label,
    metrics.description,
    metrics.formula,
    metrics.unit,
    metrics.grain,
    metrics.page,
    metrics.published_in,
    metrics.computed_in,
    metrics.raw_tables,
    metrics.contributions,
    metrics.decision,
    metrics.unit_tests,
    metrics.default_aggregation,
    metrics.is_daily,
    run_settings.as_of_date
from metrics
cross join run_settings
