-- Merges of accounts as they were declared, before they are followed.
{{ staged_records(
    domain='crm',
    entity='account_aliases',
    key=['old_account_id'],
    account=none,
    columns={'old_account_id': 'text!', 'account_id': 'text!'},
) }}
