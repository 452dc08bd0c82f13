-- One row per account with product users: its first and last day of daily usage figures, and the
-- day from which on this night computes them: from the first day on where there is no last build or
-- where what CRM says of the account or its users has changed, or where a build was cut short, else
-- from the first of its touched days and of the days that are new.
-- depends_on: {{ ref('stg_native__event_days_touched') }}
-- depends_on: {{ ref('stg_canonical__users') }}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

first_days as (
    select
        account_id,
        min(first_known_day) as first_day
    from {{ ref('int_user__lifetime') }}
    where first_known_day is not null
    group by account_id
),

{% if chain_goes_on() -%}
people as (
    {{ people_of_the_chain() }}
),

last_people as (
    select * from {{ last_build_of('people') }}
),

changed_people as (
    select account_id
    from (select * from people except select * from last_people) as come
    union
    select account_id
    from (select * from last_people except select * from people) as gone
),

touched as (
    select
        account_id,
        min(day) as first_day
    from {{ ref('stg_native__event_days_touched') }}
    group by account_id
),

last_build as (
    select
        max(as_of_date) as as_of_date,
        {{ chain_settings_changed() }} or {{ chain_was_cut_short() }} as begins_anew
    from {{ last_build_of('files') }}
),

computed as (
    select
        first_days.account_id,
        case
            when not last_build.begins_anew and changed_people.account_id is null
                then least(touched.first_day, last_build.as_of_date, run_settings.as_of_date)
        end as computed_from
    from first_days
    cross join last_build
    cross join run_settings
    left join touched
        on first_days.account_id = touched.account_id
    left join changed_people
        on first_days.account_id = changed_people.account_id
)
{%- else -%}
computed as (
    select
        account_id,
        cast(null as date) as computed_from
    from first_days
)
{%- endif %}

select
    first_days.account_id,
    first_days.first_day,
    least(run_settings.last_full_day, {{ add_days('accounts.churn_date', -1) }}) as last_day,
    coalesce(computed.computed_from, date '0001-01-01') as computed_from
from first_days
inner join accounts
    on first_days.account_id = accounts.account_id
inner join computed
    on first_days.account_id = computed.account_id
cross join run_settings
