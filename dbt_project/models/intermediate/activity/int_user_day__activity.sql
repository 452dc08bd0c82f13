-- One row per account, user and local day with activity: session time, capped at a day, and events.
-- Owner of what a user did on a day; nothing from the churn date of the account on.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

event_counts as (
    select
        account_id,
        user_id,
        event_day as day,
        count(*) as event_count
    from {{ ref('stg_canonical__events') }}
    where is_activity and not is_after_churn
    group by account_id, user_id, event_day
),

session_time as (
    select * from {{ ref('int_user_day__session_time') }}
),

merged as (
    select
        coalesce(event_counts.account_id, session_time.account_id) as account_id,
        coalesce(event_counts.user_id, session_time.user_id) as user_id,
        coalesce(event_counts.day, session_time.day) as day,
        coalesce(event_counts.event_count, 0) as event_count,
        coalesce(session_time.session_microseconds, 0) as session_microseconds
    from event_counts
    full join session_time
        on
            event_counts.account_id = session_time.account_id
            and event_counts.user_id = session_time.user_id
            and event_counts.day = session_time.day
)

select
    merged.account_id,
    merged.user_id,
    merged.event_count,
    least(merged.session_microseconds, 86400000000) as session_microseconds,
    merged.day
from merged
inner join accounts
    on merged.account_id = accounts.account_id
cross join run_settings
where
    merged.day < run_settings.as_of_date
    and coalesce(merged.day < accounts.churn_date, true)
