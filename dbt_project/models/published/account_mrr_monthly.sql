with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_account_months') }}
)

select
    months.account_id,
    months.currency,
    months.movement,
    months.movement_subclass,
    months.months_since_lost,
    cast(months.starting_mrr as decimal(18, 4)) as starting_mrr,
    cast(months.starting_mrr_reporting as decimal(18, 4)) as starting_mrr_reporting,
    cast(months.new_mrr as decimal(18, 4)) as new_mrr,
    cast(months.new_mrr_reporting as decimal(18, 4)) as new_mrr_reporting,
    cast(months.expansion_mrr as decimal(18, 4)) as expansion_mrr,
    cast(months.expansion_mrr_reporting as decimal(18, 4)) as expansion_mrr_reporting,
    cast(months.contraction_mrr as decimal(18, 4)) as contraction_mrr,
    cast(months.contraction_mrr_reporting as decimal(18, 4)) as contraction_mrr_reporting,
    cast(months.lost_mrr as decimal(18, 4)) as lost_mrr,
    cast(months.lost_mrr_reporting as decimal(18, 4)) as lost_mrr_reporting,
    cast(months.exchange_mrr_reporting as decimal(18, 4)) as exchange_mrr_reporting,
    cast(months.ending_mrr as decimal(18, 4)) as ending_mrr,
    cast(months.ending_mrr_reporting as decimal(18, 4)) as ending_mrr_reporting,
    cast(months.intra_month_mrr as decimal(18, 4)) as intra_month_mrr,
    cast(months.intra_month_mrr_reporting as decimal(18, 4)) as intra_month_mrr_reporting,
    months.is_open_month,
    months.is_provisional_loss,
    months.has_negative_mrr,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
