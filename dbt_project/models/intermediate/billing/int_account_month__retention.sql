-- One row per account, month of the spine and horizon of 1, 3 or 12 months, where the account had
-- MRR that many months before: what it had, what it has, and what of the former is still there.
-- Owner of the numerators and denominators of GRR and NRR, in the reporting currency.
with

months as (
    select
        account_id,
        month,
        ending_mrr_reporting
    from {{ ref('int_account_month__mrr') }}
),

horizons as (
    select unnest([1, 3, 12]) as horizon_months
)

select
    months.account_id,
    months.month,
    horizons.horizon_months,
    earlier.ending_mrr_reporting as base_mrr_reporting,
    least(earlier.ending_mrr_reporting, months.ending_mrr_reporting) as kept_mrr_reporting,
    months.ending_mrr_reporting
from months
cross join horizons
inner join months as earlier
    on
        months.account_id = earlier.account_id
        and earlier.month = {{ add_months('months.month', '-horizons.horizon_months') }}
        and earlier.ending_mrr_reporting > 0
