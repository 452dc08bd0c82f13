{{ staged_records(
    domain='billing',
    entity='invoice_lines',
    key=['invoice_id', 'line_number'],
    account='parent',
    parent={'model': 'stg_native__invoices', 'key': 'invoice_id', 'noun': 'invoice'},
    columns={
        'invoice_id': 'text!',
        'line_number': 'whole!',
        'amount': 'money!',
        'is_recurring': 'boolean',
        'description': 'text',
    },
) }}
