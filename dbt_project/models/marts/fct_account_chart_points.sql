-- One row per account, chart, metric and period with a value: a point of a chart. Weeks start on
-- Monday. A total or a mean has no point for a period that begins before the history does.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

series as (
    select * from {{ ref('int_chart__series') }}
),

metric_days as (
    select * from {{ ref('fct_account_metric_days') }}
),

days as (
    select
        metric_days.account_id,
        series.chart,
        series.title,
        series.kind,
        series.metric,
        series.aggregation,
        series.is_custom,
        metric_days.value,
        metric_days.day,
        case series.period
            when 'month' then {{ month_of('metric_days.day') }}
            when 'week' then {{ week_of('metric_days.day') }}
            else metric_days.day
        end as period,
        case series.period
            when 'month' then {{ last_day_of_month('metric_days.day') }}
            when 'week' then {{ add_days(week_of('metric_days.day'), 6) }}
            else metric_days.day
        end as period_last_day
    from metric_days
    inner join series
        on metric_days.metric = series.metric
),

-- in the open period, the last day is the last full day; the total and the mean are sums in order
-- of days, so that they are the same every night
points as (
    select
        days.account_id,
        days.chart,
        days.title,
        days.kind,
        days.metric,
        days.aggregation,
        days.is_custom,
        days.period,
        days.period_last_day > run_settings.last_full_day as is_open_period,
        count(*) as day_count,
        arg_max(days.value, days.day) as latest,
        sum(days.value order by days.day) filter (where days.aggregation in ('total', 'mean'))
            as total,
        max(days.value) filter (
            where days.day = least(days.period_last_day, run_settings.last_full_day)
        ) as value_on_last_day
    from days
    cross join run_settings
    group by
        days.account_id,
        days.chart,
        days.title,
        days.kind,
        days.metric,
        days.aggregation,
        days.is_custom,
        days.period,
        days.period_last_day,
        run_settings.last_full_day
),

valued as (
    select
        points.*,
        case points.aggregation
            when 'total' then points.total
            when 'mean' then points.total / points.day_count
            when 'latest' then points.latest
            else points.value_on_last_day
        end as value
    from points
    inner join run_settings
        on
            points.aggregation not in ('total', 'mean')
            or points.is_custom
            or points.period >= run_settings.history_first_day
)

select
    account_id,
    chart,
    title,
    kind,
    metric,
    aggregation,
    value,
    is_open_period,
    period
from valued
where value is not null
