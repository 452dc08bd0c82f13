{{ staged_records(
    domain='billing',
    entity='subscriptions',
    key=['subscription_id', 'start_date'],
    columns={
        'subscription_id': 'text!',
        'account_id': 'text!',
        'start_date': 'date!',
        'end_date': 'date',
        'expiration_date': 'date',
        'cycle_length': 'whole!',
        'cycle_unit': 'text!',
        'plan_code': 'text',
        'total_revenue': 'money!',
        'currency': 'currency',
        'is_renewal': 'boolean',
        'is_end': 'boolean',
        'updated_at': 'instant',
    },
    rules=[
        ('cycle_length < 1', "concat('cycle_length ', raw_cycle_length, ' is below 1')"),
        (
            'cycle_length > 36600',
            "concat('cycle_length ', raw_cycle_length, ' is above 36600, a century of days')",
        ),
        (
            "cycle_unit not in ('day', 'week', 'month', 'quarter', 'year')",
            "concat('cycle_unit ''', cycle_unit, ''' is not day, week, month, quarter or year')",
        ),
        (
            "not coalesce(is_end, false) and end_date < case "
            ~ "when run_settings.end_date_is_inclusive then start_date else start_date + 1 end",
            "concat('end_date ', raw_end_date, ' is not after start_date ', raw_start_date)",
        ),
        (
            "not coalesce(is_end, false) and expiration_date < case "
            ~ "when run_settings.end_date_is_inclusive then start_date else start_date + 1 end",
            "concat('expiration_date ', raw_expiration_date, "
            ~ "' is not after start_date ', raw_start_date)",
        ),
    ],
) }}
