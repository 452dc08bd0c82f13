with

run_settings as (
    select * from {{ ref('run_settings') }}
),

users as (
    select * from {{ ref('dim_users') }}
)

select
    users.account_id,
    users.user_id,
    users.first_name,
    users.last_name,
    users.email,
    users.contact_id,
    users.is_deactivated,
    users.session_seconds_30d,
    users.activity_rank,
    users.activity_rank_in_account,
    users.rank_trend,
    users.first_seen_date,
    users.last_seen_date,
    users.first_known_day as first_known_date,
    users.deactivated_on as deactivated_date,
    users.location,
    users.line,
    run_settings.as_of_date
from users
cross join run_settings
