-- One row per account and month in which its MRR changed: the last day of the month, up to the last
-- full day, on which it was another than the day before. Owner of the day a movement belongs to.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select * from {{ ref('int_subscription_record__mrr') }}
),

changes as (
    select
        account_id,
        mrr,
        active_from as day
    from records
    union all
    select
        account_id,
        -mrr as mrr,
        active_to as day
    from records
    where active_to is not null
),

changed_days as (
    select
        changes.account_id,
        changes.day
    from changes
    inner join run_settings
        on changes.day < run_settings.as_of_date
    group by changes.account_id, changes.day
    having sum(changes.mrr) != 0
)

select
    account_id,
    {{ month_of('day') }} as month,
    max(day) as mrr_changed_on
from changed_days
group by account_id, {{ month_of('day') }}
