{{ staged_records(
    domain='crm',
    entity='deals',
    key=['deal_id'],
    columns={
        'deal_id': 'text!',
        'account_id': 'text!',
        'name': 'text!',
        'stage': 'text!',
        'amount': 'money',
        'currency': 'currency',
        'owner': 'text',
        'created_at': 'instant',
        'expected_close_date': 'date',
        'closed_at': 'instant',
        'is_won': 'boolean',
        'updated_at': 'instant',
    },
) }}
