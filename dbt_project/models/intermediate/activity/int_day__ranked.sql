-- One row per day of the last 30, and whether users are ranked on it again this night: those from
-- the first one on that a touched day reaches, or a churn date that has changed, or an account that
-- has come or gone; all of them where a build was cut short.
-- depends_on: {{ ref('stg_native__event_days_touched') }}
-- depends_on: {{ ref('int_user_day__activity') }}
-- depends_on: {{ ref('stg_canonical__accounts') }}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select
        last_full_day,
        as_of_date,
        {{ each_day(add_days('last_full_day', -29), 'last_full_day') }} as day
    from run_settings
),

{% if chain_goes_on() -%}
accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

last_build as (
    select
        max(as_of_date) as as_of_date,
        {{ chain_settings_changed() }} or {{ chain_was_cut_short() }} as begins_anew
    from {{ last_build_of('files') }}
),

last_churn_dates as (
    select
        account_id,
        max(churn_date) as churn_date
    from {{ last_build_of('people') }}
    group by account_id
),

come_and_gone as (
    select coalesce(accounts.account_id, last_churn_dates.account_id) as account_id
    from accounts
    full join last_churn_dates
        on accounts.account_id = last_churn_dates.account_id
    where accounts.account_id is null or last_churn_dates.account_id is null
),

-- a touched day counts in the windows of 30 days
changes as (
    select min(touched.day) as day
    from {{ ref('stg_native__event_days_touched') }} as touched
    cross join run_settings
    where touched.day > {{ add_days('run_settings.last_full_day', -59) }}
    union all
    select min(least(accounts.churn_date, last_churn_dates.churn_date)) as day
    from accounts
    inner join last_churn_dates
        on accounts.account_id = last_churn_dates.account_id
    where accounts.churn_date is distinct from last_churn_dates.churn_date
    union all
    select min(activity.day) as day
    from {{ ref('int_user_day__activity') }} as activity
    inner join come_and_gone
        on activity.account_id = come_and_gone.account_id
),

first_change as (
    select min(day) as day
    from changes
),

ranked as (
    select
        days.day,
        coalesce(days.day >= first_change.day, false)
        or days.day >= last_build.as_of_date
        or last_build.as_of_date > days.as_of_date
        or last_build.begins_anew as is_ranked_again
    from days
    cross join last_build
    cross join first_change
)
{%- else -%}
ranked as (
    select
        day,
        true as is_ranked_again
    from days
)
{%- endif %}

select * from ranked
