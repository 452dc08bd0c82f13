-- A failing row is an account and month whose rolled-up timeline counts are not its own, though it
-- has no descendants; or a month in which the rolled-up timeline counts of the accounts without a
-- parent are not those of all accounts.
{{ rolls_up(
    'account_timeline_counts',
    keys=['source', 'month'],
    sums=['items'],
) }}
