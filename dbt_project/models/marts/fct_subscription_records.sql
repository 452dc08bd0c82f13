-- One row per subscription record that has started: its terms, its worth and when it is active.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select * from {{ ref('int_subscription_record__mrr') }}
),

renewals as (
    select * from {{ ref('int_subscription_record__renewal') }}
),

previous_month as (
    select {{ add_days(month_of('as_of_date'), -1) }} as last_day
    from run_settings
)

select
    records.*,
    concat(
        records.cycle_length,
        ' ',
        records.cycle_unit,
        case when records.cycle_length > 1 then 's' else '' end
    ) as billing_cycle,
    case
        when
            records.active_from <= previous_month.last_day
            and coalesce(records.active_to > previous_month.last_day, true)
            then records.monthly_amount
        else 0
    end as monthly_revenue,
    case
        when
            records.active_from <= previous_month.last_day
            and coalesce(records.active_to > previous_month.last_day, true)
            then records.monthly_amount_reporting
        else 0
    end as monthly_revenue_reporting,
    coalesce(records.active_to > run_settings.last_full_day, true) as is_active,
    records.total_revenue < 0 as is_negative,
    renewals.next_renewal_date
from records
left join renewals
    on records.record_id = renewals.record_id
cross join run_settings
cross join previous_month
