-- One row per metric: those that the project computes, from its files, and the custom metrics that
-- the source has recorded for an account that exists.
with

computed as (
    select * from {{ source('run', 'metric_catalog') }}
),

custom as (
    select metric
    from {{ ref('stg_canonical__account_metrics') }}
    group by metric
)

select
    metric,
    label,
    description,
    formula,
    unit,
    grain,
    page,
    published_in,
    computed_in,
    raw_tables,
    contributions,
    decision,
    unit_tests,
    default_aggregation,
    is_daily,
    false as is_custom
from computed
union all
select
    concat('custom:', metric) as metric,
    metric as label,
    'Custom metric of the source, on the days on which it was recorded.' as description,
    'As recorded.' as formula,
    'as recorded' as unit,
    'account_id, metric, day' as grain,
    'Metrics' as page,
    'account_metrics_daily.value' as published_in,
    'stg_canonical__account_metrics' as computed_in,
    'raw_crm.account_aliases, raw_crm.account_metrics, raw_crm.accounts' as raw_tables,
    'contributions_metrics_page' as contributions,
    'Custom metrics keep all their days' as decision,
    cast(null as varchar) as unit_tests,
    'latest' as default_aggregation,
    true as is_daily,
    true as is_custom
from custom
