{{ staged_records(
    domain='crm',
    entity='alerts',
    key=['alert_id'],
    columns={
        'alert_id': 'text!',
        'account_id': 'text!',
        'type': 'text!',
        'name': 'text',
        'status': 'text!',
        'triggered_at': 'instant!',
        'closed_at': 'instant',
        'closed_by': 'text',
        'outcome': 'text',
        'updated_at': 'instant',
    },
    rules=[
        (
            "status not in ('open', 'pending', 'closed', 'dismissed')",
            "concat('status ''', status, ''' is not open, pending, closed or dismissed')",
        ),
        (
            "outcome not in ('successful', 'unsuccessful', 'false_alarm')",
            "concat('outcome ''', outcome, ''' is not successful, unsuccessful or false_alarm')",
        ),
        (
            'closed_at < triggered_at',
            "concat('closed_at ', raw_closed_at, ' is before triggered_at')",
        ),
    ],
) }}
