-- One row per account and product user, from CRM or from events: who it is, and from when to when
-- it counts. Owner of first and last seen, and of who is a product user.
with

users as (
    select * from {{ ref('stg_canonical__users') }}
),

known_from_events as (
    select
        activity.account_id,
        activity.user_id,
        min(activity.day) as first_event_day
    from {{ ref('int_user_day__activity') }} as activity
    inner join {{ ref('stg_canonical__accounts') }} as accounts
        on activity.account_id = accounts.account_id
    where activity.known_event_count > 0
    group by activity.account_id, activity.user_id
),

seen as (
    select
        account_id,
        user_id,
        min(day) as first_seen_date,
        max(day) as last_seen_date
    from {{ ref('int_user_day__counted') }}
    where event_count > 0
    group by account_id, user_id
),

everybody as (
    select
        coalesce(users.account_id, known_from_events.account_id) as account_id,
        coalesce(users.user_id, known_from_events.user_id) as user_id,
        users.contact_id,
        users.first_name,
        users.last_name,
        users.email,
        least(users.product_join_date, known_from_events.first_event_day) as first_known_day,
        users.deactivated_on,
        users.location,
        users.line
    from users
    full join known_from_events
        on
            users.account_id = known_from_events.account_id
            and users.user_id = known_from_events.user_id
)

select
    everybody.*,
    everybody.deactivated_on is not null as is_deactivated,
    seen.first_seen_date,
    seen.last_seen_date
from everybody
left join seen
    on
        everybody.account_id = seen.account_id
        and everybody.user_id = seen.user_id
