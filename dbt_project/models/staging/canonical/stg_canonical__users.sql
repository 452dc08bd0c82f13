-- Product users that CRM lists for the accounts that exist; a deactivation after the last full day
-- is unset. A user who is inactive without a date counts as deactivated from the day of that
-- version.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

users as (
    select * from {{ ref('stg_native__users') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    users.account_id,
    users.user_id,
    users.contact_id,
    users.first_name,
    users.last_name,
    users.email,
    users.title,
    users.custom_label_dimensions,
    users.custom_value_dimensions,
    users.custom_event_dimensions,
    users.product_join_date,
    case
        when coalesce(users.is_active, false) then null
        when users.deactivated_at < run_settings.as_of_at
            then {{ local_day('users.deactivated_at', 'run_settings.reporting_time_zone') }}
        when users.deactivated_at is null and not users.is_active
            then coalesce(users.version_date, date '0001-01-01')
    end as deactivated_on,
    users.location,
    users.line
from users
inner join accounts
    on users.account_id = accounts.account_id
cross join run_settings
