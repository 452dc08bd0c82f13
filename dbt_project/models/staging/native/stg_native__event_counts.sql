-- One row per outcome of event records: how many there are, over all nights.
with

refused as (
    select case when files.is_replaced then 'superseded' else 'rejected' end as record_status
    from {{ ref('base_native__events') }} as events
    inner join {{ ref('stg_native__event_files') }} as files
        on
            events.load_number = files.load_number
            and events.location = files.location
    where events.refusal is not null
)

select
    record_status,
    is_dated_after,
    sum(records) as records
from {{ ref('stg_native__event_outcomes') }}
group by record_status, is_dated_after
union all
select
    record_status,
    false as is_dated_after,
    count(*) as records
from refused
group by record_status
