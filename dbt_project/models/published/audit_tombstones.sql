with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tombstones as (
    select * from {{ ref('stg_canonical__tombstones') }}
)

select
    tombstones.domain,
    tombstones.entity,
    tombstones.location,
    tombstones.line,
    tombstones.file_version,
    tombstones.account_id,
    tombstones.deleted_on,
    run_settings.as_of_date
from tombstones
cross join run_settings
