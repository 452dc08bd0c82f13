-- One row per load of a file of events: whether its records count, and whether that has changed
-- since the last build of the event chain, as it has for all where its settings were others. A file
-- that was loaded again replaces its records without an event_id; a file dated after the last full
-- day does not count yet.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

files as (
    select
        location,
        load_number,
        extract_date,
        row_number() over (partition by location order by load_number) as file_version,
        load_number < max(load_number) over (partition by location) as is_replaced
    from {{ source('raw_events', 'landed_files') }}
),

dated as (
    select
        files.*,
        coalesce(files.extract_date >= run_settings.as_of_date, false) as is_dated_after
    from files
    cross join run_settings
),

last_build as (
    {% if chain_goes_on() -%}
    select
        location,
        load_number,
        is_replaced,
        is_dated_after
    from {{ last_build_of('files') }}
    where not {{ chain_settings_changed() }}
    {%- else -%}
    select
        location,
        load_number,
        is_replaced,
        is_dated_after
    from dated
    where false
    {%- endif %}
)

select
    dated.*,
    coalesce(
        dated.is_replaced != last_build.is_replaced
        or dated.is_dated_after != last_build.is_dated_after,
        true
    ) as is_changed
from dated
left join last_build
    on
        dated.location = last_build.location
        and dated.load_number = last_build.load_number
