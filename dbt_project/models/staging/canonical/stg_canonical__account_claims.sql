-- What the source says of an account's figures in its current record; never a figure of ours.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

records as (
    select * from {{ ref('stg_native__accounts') }}
    where record_status = 'current' and not is_dated_after
),

claims as (
    select
        account_id,
        'current_mrr' as claim,
        current_mrr as source_value,
        version_date
    from records
    union all
    select
        account_id,
        'current_nps_score' as claim,
        current_nps_score as source_value,
        version_date
    from records
    union all
    select
        account_id,
        'current_health_score' as claim,
        current_health_score as source_value,
        version_date
    from records
)

select
    accounts.account_id,
    claims.claim,
    cast(claims.source_value as decimal(28, 8)) as source_value,
    claims.version_date as stated_on
from claims
inner join accounts
    on claims.account_id = accounts.account_id
where claims.source_value is not null
