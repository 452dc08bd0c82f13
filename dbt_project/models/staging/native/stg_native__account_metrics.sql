{{ staged_records(
    domain='crm',
    entity='account_metrics',
    key=['key_account_id', 'metric', 'recorded_on'],
    columns={
        'account_id': 'text!',
        'metric': 'text!',
        'recorded_on': 'date!',
        'value': 'number!',
    },
) }}
