with

run_settings as (
    select * from {{ ref('run_settings') }}
),

claims as (
    select * from {{ ref('int_account_claim__compared') }}
)

select
    claims.account_id,
    claims.claim,
    claims.cause,
    claims.source_value,
    claims.our_value,
    claims.difference,
    claims.stated_on as stated_date,
    run_settings.as_of_date
from claims
cross join run_settings
