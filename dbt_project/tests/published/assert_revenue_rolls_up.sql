-- A failing row is an account and month whose rolled-up revenue is not its own, though it has no
-- descendants; or a month in which the rolled-up revenue of the accounts without a parent is not
-- that of all accounts.
{{ rolls_up(
    'account_revenue_monthly',
    keys=['month'],
    sums=[
        'subscription_mrr', 'recurring_invoice_revenue', 'non_recurring_invoice_revenue',
        'unclassified_invoice_revenue', 'failed_invoice_revenue', 'payments',
    ],
    suffix='_reporting',
) }}
