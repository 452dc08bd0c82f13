-- A failing row is an entity of which more records were refused than the settings allow, with the
-- files that hold most of them. The records stand in staging with their reasons; mend the files, or
-- raise reject_threshold_pct.
with

conservation as (
    select * from {{ ref('int_entity__conservation') }}
),

rejects as (
    select * from {{ ref('stg_canonical__rejects') }}
),

files as (
    select
        domain,
        entity,
        location,
        count(*) as rejects,
        min(line) as first_line,
        arg_min(reason, line) as first_reason
    from rejects
    group by domain, entity, location
),

worst_files as (
    select
        domain,
        entity,
        array_to_string(
            list(
                concat(rejects, ' in ', location, ', first line ', first_line, ': ', first_reason)
                order by rejects desc, location asc
            )[:3],
            '; '
        ) as most_of_them
    from files
    group by domain, entity
)

select
    conservation.domain,
    conservation.entity,
    conservation.records_read,
    conservation.rejected,
    round(100.0 * conservation.rejected / conservation.records_read, 2) as rejected_pct,
    run_settings.reject_threshold_pct,
    worst_files.most_of_them
from conservation
cross join {{ ref('run_settings') }} as run_settings
left join worst_files
    on
        conservation.domain = worst_files.domain
        and conservation.entity = worst_files.entity
where
    conservation.entity != 'account_parents'
    and 100.0 * conservation.rejected
    > run_settings.reject_threshold_pct * conservation.records_read
