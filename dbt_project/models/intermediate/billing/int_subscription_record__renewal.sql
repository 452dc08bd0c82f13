-- One row per subscription record that is current, active and of the renewal kind: when it is next
-- due. The current record of a subscription is the one with the latest start. Owner of the next
-- renewal date.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select * from {{ ref('int_subscription_record__active_time') }}
    qualify row_number() over (partition by subscription_id order by start_date desc) = 1
)

select
    records.record_id,
    records.account_id,
    records.expiration_date as next_renewal_date
from records
cross join run_settings
where
    records.expiration_date >= run_settings.as_of_date
    and coalesce(records.active_to > run_settings.last_full_day, true)
