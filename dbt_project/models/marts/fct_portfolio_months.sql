-- One row per month of the portfolio: its figures over accounts, each once, without a look at CSMs.
with

months as (
    select * from {{ ref('int_month__spine') }}
),

unattributed as (
    select * from {{ ref('int_month__unattributed') }}
),

sums as (
    select
        creditable.month,
        {{ csm_sums('creditable') }}
    from {{ ref('int_account_month__creditable') }} as creditable
    group by creditable.month
),

figures as (
    select
        months.month,
        months.is_open_month,
        {{ csm_columns() }}
    from months
    left join sums
        on months.month = sums.month
)

select
    figures.*,
    cast(-(figures.lost_mrr + figures.contraction_mrr) as decimal(18, 4))
        as gross_mrr_churn_numerator,
    figures.starting_mrr as gross_mrr_churn_denominator,
    {{ ratio('-(figures.lost_mrr + figures.contraction_mrr)', 'figures.starting_mrr', 100) }}
        as gross_mrr_churn_pct,
    cast(coalesce(unattributed.invoice_revenue, 0) as decimal(18, 4))
        as unattributed_invoice_revenue,
    cast(coalesce(unattributed.payments, 0) as decimal(18, 4)) as unattributed_payments,
    coalesce(unattributed.events, 0) as unattributed_events,
    coalesce(unattributed.tickets, 0) as unattributed_tickets
from figures
left join unattributed
    on figures.month = unattributed.month
