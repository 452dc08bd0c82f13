{{ staged_records(
    domain='billing',
    entity='invoices',
    key=['invoice_id'],
    columns={
        'invoice_id': 'text!',
        'account_id': 'text',
        'created_at': 'instant!',
        'paid_at': 'instant',
        'is_failed': 'boolean',
        'currency': 'currency',
        'updated_at': 'instant',
    },
) }}
