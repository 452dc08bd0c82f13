-- Deals with the accounts that exist, created up to the last full day, or at a time that nobody
-- states. A deal that closes later is open; what stage it is in until then, nobody states.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

deals as (
    select * from {{ ref('stg_native__deals') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

-- a deal that is not won may be open or lost, so that only winning closes one without a date
dated as (
    select
        deals.*,
        coalesce(deals.closed_at >= run_settings.as_of_at, false) as closes_later,
        coalesce(
            deals.closed_at >= run_settings.as_of_at,
            not coalesce(deals.is_won, false)
        ) as is_open
    from deals
    cross join run_settings
    where coalesce(deals.created_at < run_settings.as_of_at, true)
)

select
    dated.deal_id,
    dated.account_id,
    dated.name,
    case when not dated.closes_later then dated.stage end as stage,
    dated.owner,
    coalesce(dated.currency, accounts.currency) as currency,
    dated.amount,
    dated.is_open,
    case when not dated.is_open then dated.is_won end as is_won,
    dated.expected_close_date,
    dated.created_at,
    case when not dated.is_open then dated.closed_at end as closed_at,
    dated.location,
    dated.line
from dated
inner join accounts
    on dated.account_id = accounts.account_id
