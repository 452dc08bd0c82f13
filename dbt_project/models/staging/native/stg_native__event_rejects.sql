-- One row per event record that is refused, with the record as it came.
with

refused as (
    select
        events.location,
        events.line,
        events.load_number,
        files.file_version,
        events.refusal as reason
    from {{ ref('base_native__events') }} as events
    inner join {{ ref('stg_native__event_files') }} as files
        on
            events.load_number = files.load_number
            and events.location = files.location
    where events.refusal is not null and not files.is_replaced
    union all
    select
        location,
        line,
        load_number,
        file_version,
        reason
    from {{ ref('stg_native__event_exceptions') }}
    where record_status = 'rejected'
)

select
    refused.*,
    {{ record_as_json('records') }} as record
from refused
inner join {{ source('raw_events', 'events') }} as records
    on
        refused.line = records._line
        and refused.load_number = records._load_number
        and refused.location = records._location
