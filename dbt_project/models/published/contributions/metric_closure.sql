-- One row per published figure of the account pages, or several that show the same one: whether the
-- records that contribute to it add up to it. Both sides are put below each other and grouped, not
-- joined, so that a question for one day, metric or account reads no other. Sums agree to the last
-- digits of a double, which tell ten-thousandths apart up to ten billion; quotients leave room for
-- the order of operations, and for half of the eighth decimal of every record, to which amounts
-- that are ratios themselves are rounded.
with

sides as {{ not_kept() }} (
    select
        account_id,
        metric,
        item,
        period,
        as_of_date,
        true as is_figure,
        coalesce(value, 0) as value,
        coalesce(value_reporting, 0) as value_reporting,
        numerator,
        denominator,
        is_rounded,
        cast(null as varchar) as part,
        cast(null as decimal(28, 8)) as amount,
        cast(null as decimal(28, 8)) as amount_reporting,
        cast(null as double) as factor
    from {{ ref('metric_figures') }}
    union all
    select
        account_id,
        metric,
        item,
        period,
        as_of_date,
        false as is_figure,
        cast(null as double) as value,
        cast(null as double) as value_reporting,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        cast(null as boolean) as is_rounded,
        part,
        amount,
        amount_reporting,
        factor
    from {{ ref('metric_contributions') }}
    where amount is not null
),

sums as {{ not_kept() }} (
    select
        account_id,
        metric,
        item,
        period,
        max(as_of_date) as as_of_date,
        count(*) filter (where is_figure) as figures,
        count(*) filter (where not is_figure) as records,
        min(value) filter (where not is_rounded) as least_value,
        max(value) filter (where not is_rounded) as greatest_value,
        min(value) filter (where is_rounded) as least_rounded_value,
        max(value) filter (where is_rounded) as greatest_rounded_value,
        max(value_reporting) as value_reporting,
        min(value_reporting) as least_value_reporting,
        max(numerator) as numerator,
        max(denominator) as denominator,
        max(factor) as factor,
        cast(sum(amount) filter (where part = 'value') as double) as amounts,
        cast(sum(amount_reporting) filter (where part = 'value') as double) as amounts_reporting,
        cast(sum(amount) filter (where part = 'numerator') as double) as numerators,
        cast(sum(amount) filter (where part = 'denominator') as double) as denominators
    from sides
    group by account_id, metric, item, period
),

totals as {{ not_kept() }} (
    select
        *,
        coalesce(
            factor * amounts,
            factor * coalesce(numerators, 0) / denominators,
            0
        ) as total,
        case
            when denominators is null then 1e-14 * abs(greatest_value)
            else
                1e-9 * abs(greatest_value)
                + coalesce(5e-9 * abs(factor) * (records + 2) / nullif(denominators, 0), 0)
        end as tolerance
    from sums
)

select
    account_id,
    metric,
    item,
    figures,
    records,
    coalesce(greatest_value, greatest_rounded_value) as value,
    total,
    value_reporting,
    coalesce(amounts_reporting, 0) as total_reporting,
    figures > 0
    and coalesce(abs(least_value - total) <= tolerance, true)
    and coalesce(abs(greatest_value - total) <= tolerance, true)
    and coalesce(least_rounded_value = floor(total + 0.5), true)
    and coalesce(greatest_rounded_value = floor(total + 0.5), true)
    and abs(value_reporting - coalesce(amounts_reporting, 0)) <= 1e-14 * abs(value_reporting)
    and abs(least_value_reporting - coalesce(amounts_reporting, 0)) <= 1e-14 * abs(value_reporting)
    and coalesce(abs(numerator - coalesce(numerators, 0)) <= 1e-14 * abs(numerator), true)
    and coalesce(abs(denominator - coalesce(denominators, 0)) <= 1e-14 * abs(denominator), true)
        as closes,
    period,
    as_of_date
from totals
