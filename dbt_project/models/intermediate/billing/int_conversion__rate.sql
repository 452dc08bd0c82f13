-- One row per pair of currencies and day of `int_conversion__needed`: the rate, as a ratio of whole
-- numbers. The latest rate on or before the day holds, given or inverted (given wins on equal
-- days); pairs that are not quoted go through the reporting currency. Owner of every exchange rate
-- that is used.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

needed as (
    select * from {{ ref('int_conversion__needed') }}
),

given as (
    select
        from_currency,
        to_currency,
        rate_date,
        {{ rate_as_ratio('rate') }} as ratio
    from {{ ref('stg_canonical__fx_rates') }}
    where from_currency != to_currency
),

both_ways as (
    select
        from_currency,
        to_currency,
        rate_date,
        ratio[1] as numerator,
        ratio[2] as denominator,
        1 as preference
    from given
    union all
    select
        to_currency as from_currency,
        from_currency as to_currency,
        rate_date,
        ratio[2] as numerator,
        ratio[1] as denominator,
        2 as preference
    from given
),

quotes as (
    select *
    from both_ways
    qualify
        row_number() over (
            partition by from_currency, to_currency, rate_date order by preference
        ) = 1
),

valid_quotes as (
    select
        *,
        coalesce(
            lead(rate_date) over (partition by from_currency, to_currency order by rate_date),
            date '9999-12-31'
        ) as valid_to
    from quotes
)

select
    needed.from_currency,
    needed.to_currency,
    needed.day,
    case
        when needed.from_currency = needed.to_currency then 1
        else coalesce(direct.numerator, first_leg.numerator * second_leg.numerator)
    end as numerator,
    case
        when needed.from_currency = needed.to_currency then 1
        else coalesce(direct.denominator, first_leg.denominator * second_leg.denominator)
    end as denominator,
    coalesce(direct.rate_date, least(first_leg.rate_date, second_leg.rate_date)) as rate_date
from needed
cross join run_settings
left join valid_quotes as direct
    on
        needed.from_currency = direct.from_currency
        and needed.to_currency = direct.to_currency
        and needed.day >= direct.rate_date
        and needed.day < direct.valid_to
left join valid_quotes as first_leg
    on
        needed.from_currency = first_leg.from_currency
        and run_settings.reporting_currency = first_leg.to_currency
        and needed.day >= first_leg.rate_date
        and needed.day < first_leg.valid_to
left join valid_quotes as second_leg
    on
        run_settings.reporting_currency = second_leg.from_currency
        and needed.to_currency = second_leg.to_currency
        and needed.day >= second_leg.rate_date
        and needed.day < second_leg.valid_to
