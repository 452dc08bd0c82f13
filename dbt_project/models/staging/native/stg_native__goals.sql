{{ staged_records(
    domain='crm',
    entity='goals',
    key=['goal_id'],
    columns={
        'goal_id': 'text!',
        'account_id': 'text!',
        'name': 'text!',
        'status': 'text!',
        'priority': 'text',
        'owner_email': 'text',
        'start_date': 'date',
        'due_date': 'date',
        'completed_at': 'instant',
        'progress': 'number',
        'updated_at': 'instant',
    },
) }}
