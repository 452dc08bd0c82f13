{{ staged_records(
    domain='crm',
    entity='stage_history',
    key=['key_account_id', 'stage', 'started_at'],
    columns={
        'account_id': 'text!',
        'stage': 'text!',
        'started_at': 'instant!',
        'ended_at': 'instant',
    },
    rules=[('ended_at < started_at', "concat('ended_at ', raw_ended_at, ' is before started_at')")],
) }}
