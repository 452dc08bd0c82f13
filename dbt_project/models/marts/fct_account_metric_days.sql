-- One row per account, metric and day with a value: computed metrics over the last
-- metric_history_days, custom ones on all days on which they were recorded. A view: the largest
-- table of the marts would be a copy.
{{ config(materialized='view') }}

with

run_settings as (
    select * from {{ ref('run_settings') }}
),

metrics as (
    select * from {{ ref('int_metric__catalog') }}
    where is_daily and not is_custom
),

figures as (
    select
        account_id,
        figure,
        value,
        day
    from {{ ref('int_account_day__figures') }}
    union all
    select
        account_id,
        'health_score' as figure,
        cast(health_score as double) as value,
        day
    from {{ ref('int_account_day__health') }}
),

account_metrics as (
    select * from {{ ref('stg_canonical__account_metrics') }}
)

select
    figures.account_id,
    figures.figure as metric,
    figures.value,
    figures.day
from figures
inner join metrics
    on figures.figure = metrics.metric
inner join run_settings
    on figures.day >= run_settings.history_first_day
union all
select
    account_id,
    concat('custom:', metric) as metric,
    cast(value as double) as value,
    recorded_on as day
from account_metrics
