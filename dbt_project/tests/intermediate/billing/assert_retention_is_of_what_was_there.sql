-- A failing row is an account, month and horizon that kept more than it had, or that had something
-- else than the ending MRR of the earlier month.
with

retention as (
    select * from {{ ref('int_account_month__retention') }}
),

months as (
    select * from {{ ref('int_account_month__mrr') }}
)

select
    retention.*,
    earlier.ending_mrr_reporting as ending_mrr_reporting_before
from retention
left join months as earlier
    on
        retention.account_id = earlier.account_id
        and {{ months_between('earlier.month', 'retention.month') }} = retention.horizon_months
where
    retention.base_mrr_reporting <= 0
    or retention.kept_mrr_reporting > retention.base_mrr_reporting
    or retention.kept_mrr_reporting > retention.ending_mrr_reporting
    or retention.base_mrr_reporting is distinct from earlier.ending_mrr_reporting
