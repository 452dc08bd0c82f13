{{ staged_records(
    domain='events',
    entity='events',
    optional_key='event_id',
    deduplication='event_deduplication',
    columns={
        'account_id': 'text',
        'user_id': 'text!',
        'created_at': 'instant!',
        'action': 'text!',
        'session_id': 'text',
        'product': 'text',
        'module': 'text',
        'feature': 'text',
        'active_duration': 'number',
        'time_spent': 'number',
        'total': 'whole',
        'details': 'json',
        'event_id': 'text',
    },
    rules=[
        (
            'created_at > loaded_at + interval 24 hour',
            "concat('created_at ', raw_created_at, "
            ~ "' is over 24 hours after the record was loaded')",
        ),
        (
            'active_duration not between 0 and 86400000',
            "concat('active_duration ', raw_active_duration, ' ms is negative or over 24 hours')",
        ),
        (
            'time_spent not between 0 and 86400000',
            "concat('time_spent ', raw_time_spent, ' ms is negative or over 24 hours')",
        ),
        ('total < 0', "concat('total ', raw_total, ' is negative')"),
    ],
) }}
