{#-
    Failing rows of an area of contributions: figures that differ from what their contributions add
    up to, and contributions to a figure that is not published. A figure of 0, and one that is not
    known, need no contribution. Sums are compared to the last digits of a double, which tell
    ten-thousandths apart up to ten billion; quotients leave room for the order of operations.

    condition  over metric and period: which of them
-#}
{% macro contributions_close(area, condition='true') -%}
with

figures as (
    select * from {{ ref('metric_figures') }}
    where contributions = 'contributions_{{ area }}' and {{ condition }}
),

sums as (
    select
        account_id,
        metric,
        item,
        period,
        sum(amount) filter (where part = 'value') as total,
        sum(amount_reporting) filter (where part = 'value') as total_reporting,
        max(factor) as factor,
        sum(amount) filter (where part = 'numerator') as numerator,
        sum(amount) filter (where part = 'denominator') as denominator
    from {{ ref('contributions_' ~ area) }}
    where amount is not null and {{ condition }}
    group by account_id, metric, item, period
),

compared as (
    select
        coalesce(figures.account_id, sums.account_id) as account_id,
        coalesce(figures.metric, sums.metric) as metric,
        coalesce(figures.item, sums.item) as item,
        coalesce(figures.period, sums.period) as period,
        figures.published_in,
        figures.value,
        figures.is_rounded,
        figures.value_reporting,
        case
            when figures.is_rounded then floor(sums.factor * cast(sums.total as double) + 0.5)
            else sums.factor * cast(sums.total as double)
        end as total,
        cast(sums.total_reporting as double) as total_reporting,
        figures.numerator,
        figures.denominator,
        cast(sums.numerator as double) as numerators,
        cast(sums.denominator as double) as denominators,
        sums.factor * cast(coalesce(sums.numerator, 0) as double)
        / cast(sums.denominator as double) as quotient
    from figures
    full join sums
        on
            figures.account_id = sums.account_id
            and figures.metric = sums.metric
            and figures.item is not distinct from sums.item
            and figures.period = sums.period
)

select *
from compared
where
    published_in is null
    or abs(coalesce(value, 0) - coalesce(total, quotient, 0))
    > case
        when quotient is null then 1e-14 * abs(coalesce(value, 0))
        else 1e-9 * abs(coalesce(value, 0)) + 1e-8
    end
    or abs(coalesce(value_reporting, 0) - coalesce(total_reporting, 0))
    > 1e-14 * abs(coalesce(value_reporting, 0))
    or abs(numerator - coalesce(numerators, 0)) > 1e-14 * abs(numerator)
    or abs(denominator - coalesce(denominators, 0)) > 1e-14 * abs(denominator)
{%- endmacro %}
