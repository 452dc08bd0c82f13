-- One row per account, chart, metric and period with a value: a point of a chart. Weeks start on
-- Monday. A total or a mean has no point for a period that begins before the history does. Both are
-- sums of whole millionths, so that they do not hang on the order of days.
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
        series.series_number,
        metric_days.value,
        metric_days.day,
        case series.period
            when 'month' then {{ month_of('metric_days.day') }}
            when 'week' then {{ week_of('metric_days.day') }}
            else metric_days.day
        end as period
    from metric_days
    inner join series
        on metric_days.metric = series.metric
),

periods as (
    select
        account_id,
        series_number,
        count(*) as day_count,
        sum({{ to_millionths('value') }}) as total_millionths,
        arg_max(value, day) as latest_value,
        max(day) as latest_day,
        period
    from days
    group by account_id, series_number, period
),

-- in the open period, the last day is the last full day
dated as (
    select
        periods.*,
        series.chart,
        series.title,
        series.kind,
        series.metric,
        series.aggregation,
        series.is_custom or periods.period >= run_settings.history_first_day as is_whole,
        case series.period
            when 'month' then {{ last_day_of_month('periods.period') }}
            when 'week' then {{ add_days('periods.period', 6) }}
            else periods.period
        end as last_day,
        run_settings.last_full_day
    from periods
    inner join series
        on periods.series_number = series.series_number
    cross join run_settings
),

points as (
    select
        *,
        case
            when aggregation = 'latest' then latest_value
            when aggregation = 'sum_of_last_day' and latest_day = least(last_day, last_full_day)
                then latest_value
            when aggregation = 'total' and is_whole then total_millionths / 1e6
            when aggregation = 'mean' and is_whole then total_millionths / 1e6 / day_count
        end as value
    from dated
)

select
    account_id,
    chart,
    title,
    kind,
    metric,
    aggregation,
    value,
    last_day > last_full_day as is_open_period,
    period
from points
where value is not null
