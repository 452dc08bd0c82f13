with

run_settings as (
    select * from {{ ref('run_settings') }}
),

items as (
    select * from {{ ref('fct_timeline_items') }}
)

select
    items.account_id,
    items.source,
    items.source_id,
    items.category,
    items.sub_type,
    items.subject,
    items.body,
    items.search_text,
    items.occurred_date,
    items.occurred_at,
    items.location,
    items.line,
    run_settings.as_of_date
from items
cross join run_settings
