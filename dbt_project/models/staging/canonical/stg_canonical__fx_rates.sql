-- Exchange rates up to the last full day, as they were given.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

rates as (
    select * from {{ ref('stg_native__fx_rates') }}
    where record_status = 'current' and not is_dated_after
)

select
    rates.from_currency,
    rates.to_currency,
    rates.rate,
    rates.rate_date,
    rates.location,
    rates.line
from rates
cross join run_settings
where rates.rate_date < run_settings.as_of_date
