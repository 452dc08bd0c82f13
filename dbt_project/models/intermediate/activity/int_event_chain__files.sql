-- What the event chain was last built from: loads of files, as-of date and settings. While it says
-- what it said before, the night has not happened.
-- depends_on: {{ ref('int_event_chain__accounts') }}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

files as (
    select * from {{ ref('stg_native__event_files') }}
)

select
    files.location,
    files.load_number,
    files.is_replaced,
    files.is_dated_after,
    {{ chain_settings() }} as chain_settings,
    run_settings.as_of_date
from run_settings
left join files
    on true
