with

run_settings as (
    select * from {{ ref('run_settings') }}
),

unattributed as (
    select * from {{ ref('stg_canonical__unattributed') }}
)

select
    unattributed.domain,
    unattributed.entity,
    unattributed.location,
    unattributed.line,
    unattributed.file_version,
    unattributed.account_id,
    unattributed.reason,
    cast(unattributed.amount as decimal(18, 4)) as amount,
    unattributed.currency,
    run_settings.as_of_date
from unattributed
cross join run_settings
