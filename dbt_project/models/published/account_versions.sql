with

run_settings as (
    select * from {{ ref('run_settings') }}
),

versions as (
    select * from {{ ref('stg_canonical__account_versions') }}
)

select
    versions.account_id,
    versions.csm_score,
    versions.renewal_date,
    versions.version_date,
    versions.location,
    versions.line,
    run_settings.as_of_date
from versions
cross join run_settings
