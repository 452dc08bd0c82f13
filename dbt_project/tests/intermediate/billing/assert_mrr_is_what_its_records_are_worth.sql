-- A failing row is a month in which the MRR of all accounts is not the sum over the records active
-- on its last day: something was lost or doubled on the way from records to months.
with

months as (
    select
        month,
        last_day
    from {{ ref('int_account_month__spine') }}
    group by month, last_day
),

from_records as (
    select
        months.month,
        sum(records.mrr) as mrr,
        sum(records.mrr_reporting) as mrr_reporting
    from months
    inner join {{ ref('int_subscription_record__mrr') }} as records
        on
            records.active_from <= months.last_day
            and coalesce(records.active_to > months.last_day, true)
    group by months.month
),

from_months as (
    select
        month,
        sum(ending_mrr) as mrr,
        sum(ending_mrr_reporting) as mrr_reporting
    from {{ ref('int_account_month__mrr') }}
    group by month
)

select
    from_months.month,
    from_months.mrr,
    from_records.mrr as mrr_of_records,
    from_months.mrr_reporting,
    from_records.mrr_reporting as mrr_reporting_of_records
from from_months
left join from_records
    on from_months.month = from_records.month
where
    from_months.mrr != coalesce(from_records.mrr, 0)
    or from_months.mrr_reporting != coalesce(from_records.mrr_reporting, 0)
