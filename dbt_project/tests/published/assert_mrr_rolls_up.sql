-- A failing row is an account and month whose rolled-up MRR is not its own, though it has no
-- descendants; or a month in which the rolled-up MRR of the accounts without a parent is not that
-- of all accounts.
{{ rolls_up(
    'account_mrr_monthly',
    keys=['month'],
    sums=[
        'starting_mrr', 'new_mrr', 'expansion_mrr', 'contraction_mrr', 'lost_mrr', 'exchange_mrr',
        'ending_mrr', 'intra_month_mrr',
    ],
    others=['is_open_month', 'is_provisional_loss', 'has_negative_mrr'],
    suffix='_reporting',
) }}
