-- One row per account and day on which the account or one of its descendants has usage figures:
-- theirs added up. A user is one of an account, so that nobody counts twice; session time per
-- active user is computed from the sums.
with

families as (
    select * from {{ ref('int_account_descendant__path') }}
),

days as (
    select * from {{ ref('int_account_day__active_users') }}
),

sums as (
    select
        families.account_id,
        families.descendants,
        days.day,
        sum(days.dau) as dau,
        sum(days.wau) as wau,
        sum(days.mau) as mau,
        sum(days.product_users) as product_users,
        sum(days.session_microseconds) as session_microseconds
    from families
    inner join days
        on families.descendant_account_id = days.account_id
    group by families.account_id, families.descendants, days.day
)

select
    account_id,
    descendants,
    dau,
    wau,
    mau,
    product_users,
    {{ microseconds_to_seconds('session_microseconds') }} as session_seconds,
    case when dau > 0 then session_microseconds / 1e6 / dau end as seconds_per_active_user,
    day
from sums
