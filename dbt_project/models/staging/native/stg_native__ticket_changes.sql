{{ staged_records(
    domain='tickets',
    entity='ticket_changes',
    key=['ticket_id', 'changed_at', 'field'],
    account='parent',
    parent={'model': 'stg_native__tickets', 'key': 'ticket_id', 'noun': 'ticket'},
    columns={
        'ticket_id': 'text!',
        'changed_at': 'instant!',
        'field': 'text!',
        'old_value': 'text',
        'new_value': 'text',
    },
    rules=[
        (
            "field not in ('status', 'priority', 'type')",
            "concat('field ''', field, ''' is not status, priority or type')",
        ),
    ],
) }}
