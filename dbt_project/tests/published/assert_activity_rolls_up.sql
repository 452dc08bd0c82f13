-- A failing row is an account and day whose rolled-up usage is not its own, though it has no
-- descendants; or a day in which the rolled-up usage of the accounts without a parent is not that
-- of all accounts.
{{ rolls_up(
    'account_activity_daily',
    keys=['day'],
    sums=['dau', 'wau', 'mau', 'product_users', 'session_seconds'],
    others=['seconds_per_active_user'],
) }}
