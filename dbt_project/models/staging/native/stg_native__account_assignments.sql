{{ staged_records(
    domain='crm',
    entity='account_assignments',
    key=['key_account_id', 'csm_email', 'assigned_at'],
    columns={
        'account_id': 'text!',
        'csm_email': 'email!',
        'assigned_at': 'instant!',
        'unassigned_at': 'instant',
    },
    rules=[
        (
            'unassigned_at < assigned_at',
            "concat('unassigned_at ', raw_unassigned_at, ' is before assigned_at')",
        ),
    ],
    own_files=true,
) }}
