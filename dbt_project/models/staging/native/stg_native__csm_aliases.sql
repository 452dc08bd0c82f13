{{ staged_records(
    domain='crm',
    entity='csm_aliases',
    key=['old_email'],
    account=none,
    columns={'old_email': 'email!', 'email': 'email!'},
) }}
