-- A failing row is an account whose next renewal on the last full day is not the one that its
-- records say is next.
with

by_day as (
    select
        days.account_id,
        days.next_renewal_date
    from {{ ref('int_account_day__next_renewal') }} as days
    inner join {{ ref('run_settings') }} as run_settings
        on days.day = run_settings.last_full_day
),

by_record as (
    select
        account_id,
        min(next_renewal_date) as next_renewal_date
    from {{ ref('int_subscription_record__renewal') }}
    group by account_id
)

select
    accounts.account_id,
    by_day.next_renewal_date as by_day,
    coalesce(by_record.next_renewal_date, accounts.renewal_date) as by_record
from {{ ref('stg_canonical__accounts') }} as accounts
left join by_day
    on accounts.account_id = by_day.account_id
left join by_record
    on accounts.account_id = by_record.account_id
where
    by_day.next_renewal_date
    is distinct from coalesce(by_record.next_renewal_date, accounts.renewal_date)
