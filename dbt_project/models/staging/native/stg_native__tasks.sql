{{ staged_records(
    domain='crm',
    entity='tasks',
    key=['task_id'],
    columns={
        'task_id': 'text!',
        'account_id': 'text!',
        'alert_id': 'text',
        'type': 'text',
        'title': 'text',
        'status': 'text!',
        'priority': 'text',
        'assignee_email': 'text',
        'created_at': 'instant!',
        'due_date': 'date',
        'closed_at': 'instant',
        'outcome': 'text',
        'updated_at': 'instant',
    },
    rules=[
        (
            'closed_at < created_at',
            "concat('closed_at ', raw_closed_at, ' is before created_at')",
        ),
    ],
) }}
