-- One row per account and month: MRR, its movements, invoice revenue and payments of the account
-- and all its descendants, in the reporting currency. Amounts are added up account by account, the
-- movements too, so that starting MRR plus movements is ending MRR; the class of the month is that
-- of the sums, by the rule of int_account_month__mrr.
with

families as (
    select * from {{ ref('int_account_descendant__path') }}
),

months as (
    select * from {{ ref('fct_account_months') }}
),

{% set amounts = [
    'subscription_mrr', 'starting_mrr', 'new_mrr', 'expansion_mrr', 'contraction_mrr', 'lost_mrr',
    'exchange_mrr', 'ending_mrr', 'intra_month_mrr', 'recurring_invoice_revenue',
    'non_recurring_invoice_revenue', 'unclassified_invoice_revenue', 'failed_invoice_revenue',
    'payments',
] -%}
sums as (
    select
        families.account_id,
        families.descendants,
        months.month,
        {% for amount in amounts -%}
        sum(months.{{ amount }}_reporting) as {{ amount }},
        {% endfor -%}
        bool_or(months.is_open_month) as is_open_month,
        bool_or(months.is_provisional_loss) as is_provisional_loss,
        bool_or(months.has_negative_mrr) as has_negative_mrr
    from families
    inner join months
        on families.descendant_account_id = months.account_id
    group by families.account_id, families.descendants, months.month
),

moves as (
    select
        *,
        new_mrr + expansion_mrr + contraction_mrr + lost_mrr as moved,
        coalesce(
            bool_or(ending_mrr > 0) over (
                partition by account_id
                order by month
                rows between unbounded preceding and 1 preceding
            ),
            false
        ) as had_mrr
    from sums
),

-- what moves in the reporting currency alone is no movement
classified as (
    select
        *,
        case
            when moved = 0 then 'none'
            when starting_mrr <= 0 and ending_mrr > 0 then 'new'
            when starting_mrr > 0 and ending_mrr <= 0 then 'lost'
            when moved > 0 then 'expansion'
            else 'contraction'
        end as movement
    from moves
),

with_losses as (
    select
        *,
        max(case when movement = 'lost' then month end) over (
            partition by account_id
            order by month
            rows between unbounded preceding and 1 preceding
        ) as last_lost_month
    from classified
)

select
    * exclude (moved, had_mrr, last_lost_month),
    case
        when movement = 'new' and had_mrr then 'reactivation'
        when movement = 'new' then 'new_logo'
    end as movement_subclass,
    case
        when movement = 'new' and had_mrr then {{ months_between('last_lost_month', 'month') }}
    end as months_since_lost
from with_losses
