with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_account_months_rollup') }}
)

select
    months.account_id,
    months.descendants,
    run_settings.reporting_currency as currency,
    months.movement,
    months.movement_subclass,
    months.months_since_lost,
    cast(months.starting_mrr as decimal(18, 4)) as starting_mrr,
    cast(months.new_mrr as decimal(18, 4)) as new_mrr,
    cast(months.expansion_mrr as decimal(18, 4)) as expansion_mrr,
    cast(months.contraction_mrr as decimal(18, 4)) as contraction_mrr,
    cast(months.lost_mrr as decimal(18, 4)) as lost_mrr,
    cast(months.exchange_mrr as decimal(18, 4)) as exchange_mrr,
    cast(months.ending_mrr as decimal(18, 4)) as ending_mrr,
    cast(months.intra_month_mrr as decimal(18, 4)) as intra_month_mrr,
    months.is_open_month,
    months.is_provisional_loss,
    months.has_negative_mrr,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
