with

run_settings as (
    select * from {{ ref('run_settings') }}
),

rejects as (
    select * from {{ ref('stg_canonical__rejects') }}
)

select
    rejects.domain,
    rejects.entity,
    rejects.location,
    rejects.line,
    rejects.file_version,
    rejects.reason,
    rejects.record,
    run_settings.as_of_date
from rejects
cross join run_settings
