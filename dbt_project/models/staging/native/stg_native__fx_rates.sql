{{ staged_records(
    domain='billing',
    entity='fx_rates',
    key=['rate_date', 'from_currency', 'to_currency'],
    account=none,
    columns={
        'rate_date': 'date!',
        'from_currency': 'currency!',
        'to_currency': 'currency!',
        'rate': 'rate!',
    },
    rules=[('rate <= 0', "concat('rate ', raw_rate, ' is not above 0')")],
) }}
