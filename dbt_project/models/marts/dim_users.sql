-- One row per account and product user, from CRM or from events, with its activity of the last 30
-- days.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

users as (
    select * from {{ ref('int_user__lifetime') }}
),

ranks as (
    select * from {{ ref('int_user__rank') }}
)

select
    users.account_id,
    users.user_id,
    users.contact_id,
    users.first_name,
    users.last_name,
    users.email,
    users.is_deactivated,
    case
        when not accounts.is_churned
            then {{ microseconds_to_seconds('coalesce(ranks.session_microseconds, 0)') }}
    end as session_seconds_30d,
    ranks.activity_rank,
    ranks.activity_rank_in_account,
    ranks.rank_trend,
    users.first_known_day,
    users.first_seen_date,
    users.last_seen_date,
    users.deactivated_on,
    users.location,
    users.line
from users
inner join accounts
    on users.account_id = accounts.account_id
left join ranks
    on
        users.account_id = ranks.account_id
        and users.user_id = ranks.user_id
