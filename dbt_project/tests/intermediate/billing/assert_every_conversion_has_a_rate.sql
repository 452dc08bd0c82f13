-- A failing row is a pair of currencies and a day for which no exchange rate is known on or before
-- it. Land a rate of that pair, or of both currencies against the reporting currency, dated on or
-- before the day.
select
    from_currency,
    to_currency,
    min(day) as first_day,
    max(day) as last_day
from {{ ref('int_conversion__rate') }}
where numerator is null
group by from_currency, to_currency
