-- A failing row is an account and month in which starting MRR plus movements is not ending MRR, in
-- either currency, or where a month does not start where the one before ended.
with

months as (
    select
        *,
        lag(month) over history as previous_month,
        lag(ending_mrr) over history as previous_ending_mrr,
        lag(ending_mrr_reporting) over history as previous_ending_mrr_reporting
    from {{ ref('int_account_month__mrr') }}
    window history as (partition by account_id order by month)
)

select *
from months
where
    starting_mrr + new_mrr + expansion_mrr + contraction_mrr + lost_mrr != ending_mrr
    or starting_mrr_reporting + new_mrr_reporting + expansion_mrr_reporting
    + contraction_mrr_reporting + lost_mrr_reporting + exchange_mrr_reporting
    != ending_mrr_reporting
    or starting_mrr != coalesce(previous_ending_mrr, 0)
    or starting_mrr_reporting != coalesce(previous_ending_mrr_reporting, 0)
    or month != {{ add_months('previous_month', 1) }}
    or contraction_mrr > 0
    or lost_mrr > 0
    or (movement = 'new') != (movement_subclass is not null)
    or (coalesce(movement_subclass, '') = 'reactivation') != (months_since_lost is not null)
