-- One row per account and day of the daily history, without gaps: from the account's join date, or
-- the day on which the first of its product users is known, if that is earlier, to the last full
-- day. It begins early enough for every window of health metrics and alert rules to be whole.
-- Churned accounts go on: what they leave is the figure's own matter.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

first_known_days as (
    select
        account_id,
        min(first_known_day) as first_day
    from {{ ref('int_user__lifetime') }}
    group by account_id
)

select
    accounts.account_id,
    {{ each_day(
        "greatest(run_settings.figures_first_day, least(accounts.join_date, first_known_days.first_day))",
        'run_settings.last_full_day',
    ) }} as day
from accounts
left join first_known_days
    on accounts.account_id = first_known_days.account_id
cross join run_settings
