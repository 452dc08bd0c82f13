with

run_settings as (
    select * from {{ ref('run_settings') }}
),

loads as (
    select * from {{ ref('stg_canonical__loads') }}
)

select
    loads.domain,
    loads.entity,
    loads.location,
    loads.load_number,
    loads.file_version,
    loads.load_id,
    loads.content_hash,
    loads.rows_read,
    loads.extract_date,
    loads.loaded_at,
    run_settings.as_of_date
from loads
cross join run_settings
