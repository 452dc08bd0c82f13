-- One row per account, month and source with items on the account's timeline: how many.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

items as (
    select
        items.account_id,
        items.source,
        {{ month_of(local_day('items.occurred_at', 'run_settings.reporting_time_zone')) }} as month
    from {{ ref('fct_timeline_items') }} as items
    cross join run_settings
)

select
    account_id,
    source,
    count(*) as items,
    month
from items
group by account_id, source, month
