-- A failing row is an account and month whose rolled-up tickets are not its own, though it has no
-- descendants; or a month in which the rolled-up tickets of the accounts without a parent are not
-- those of all accounts.
{{ rolls_up(
    'account_tickets_monthly',
    keys=['month'],
    sums=[
        'opened', 'closed', 'reopened', 'closed_tickets', 'open_at_start', 'open_at_end',
        'open_during_month', 'closed_age_seconds', 'open_age_seconds',
    ],
    others=[
        'age_days_mean', 'closed_age_days_mean', 'open_age_days_mean', 'time_to_close_median_days',
        'time_to_close_p90_days', 'is_open_month',
    ],
) }}
