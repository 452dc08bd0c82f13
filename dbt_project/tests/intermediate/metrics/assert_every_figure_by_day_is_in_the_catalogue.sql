-- A failing row is a figure by day that the catalogue of metrics does not know, so that it would be
-- missing from the metrics page. Use of single modules and features has a page of its own.
with

figures as (
    select figure
    from {{ ref('int_account_day__figures') }}
    group by figure
),

metrics as (
    select * from {{ ref('int_metric__catalog') }}
    where is_daily
)

select figures.figure
from figures
left join metrics
    on figures.figure = metrics.metric
where
    metrics.metric is null
    and figures.figure not like 'module:%'
    and figures.figure not like 'feature:%'
