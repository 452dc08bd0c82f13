{{ staged_records(
    domain='tickets',
    entity='tickets',
    key=['ticket_id'],
    columns={
        'ticket_id': 'text!',
        'account_id': 'text',
        'subject': 'text',
        'status': 'text!',
        'priority': 'text',
        'type': 'text',
        'created_at': 'instant!',
        'closed_at': 'instant',
        'requester_email': 'text',
        'assignee': 'text',
        'channel': 'text',
        'url': 'text',
        'updated_at': 'instant',
    },
    rules=[
        (
            'closed_at < created_at',
            "concat('closed_at ', raw_closed_at, ' is before created_at')",
        ),
    ],
) }}
