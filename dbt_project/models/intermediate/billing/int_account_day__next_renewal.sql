-- One row per account and day of the daily history on which a renewal lay ahead as things stood on
-- that day: of its records that were current and active, the nearest expiration after the day; else
-- the renewal date that its own record named. On the last full day that is the next renewal date of
-- int_subscription_record__renewal. A renewal that has come in since does not reach back: what an
-- alert rule saw on a day stays what it saw.
with

days as (
    select * from {{ ref('int_account_day__spine') }}
),

records as (
    select * from {{ ref('int_subscription_record__active_time') }}
),

-- joined to the days before it is to the rest: an outer join on an interval compares every pair
stated as (
    select
        days.account_id,
        attributes.date_value,
        days.day
    from days
    inner join {{ ref('int_account__attribute_history') }} as attributes
        on
            days.account_id = attributes.account_id
            and attributes.attribute = 'renewal_date'
            and days.day >= attributes.valid_from
            and coalesce(days.day < attributes.valid_to, true)
),

expirations as (
    select
        days.account_id,
        days.day,
        min(records.expiration_date) as next_renewal_date
    from days
    inner join records
        on
            days.account_id = records.account_id
            and days.day >= records.active_from
            and coalesce(days.day < records.active_to, true)
            and days.day < records.expiration_date
    group by days.account_id, days.day
)

select
    days.account_id,
    coalesce(expirations.next_renewal_date, stated.date_value) as next_renewal_date,
    {{ days_between(
        'days.day', 'coalesce(expirations.next_renewal_date, stated.date_value)'
    ) }} as days_to_renewal,
    days.day
from days
left join expirations
    on
        days.account_id = expirations.account_id
        and days.day = expirations.day
left join stated
    on
        days.account_id = stated.account_id
        and days.day = stated.day
where expirations.account_id is not null or stated.account_id is not null
