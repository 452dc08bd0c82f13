{{ staged_records(
    domain='crm',
    entity='csms',
    key=['email'],
    account=none,
    columns={
        'email': 'email!',
        'name': 'text',
        'is_active': 'boolean',
        'can_be_assigned_accounts': 'boolean',
        'updated_at': 'instant',
    },
) }}
