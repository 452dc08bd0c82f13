-- One row per account, user and day with activity.
select
    account_id,
    user_id,
    event_count,
    {{ microseconds_to_seconds('session_microseconds') }} as session_seconds,
    day
from {{ ref('int_user_day__counted') }}
