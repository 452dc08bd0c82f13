-- One row per account and day: who was active, for how long, and who could have been.
select
    account_id,
    dau,
    wau,
    mau,
    product_users,
    {{ microseconds_to_seconds('session_microseconds') }} as session_seconds,
    seconds_per_active_user,
    day
from {{ ref('int_account_day__active_users') }}
