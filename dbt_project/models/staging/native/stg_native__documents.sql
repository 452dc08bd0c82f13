{{ staged_records(
    domain='crm',
    entity='documents',
    key=['document_id'],
    columns={
        'document_id': 'text!',
        'account_id': 'text!',
        'name': 'text!',
        'kind': 'text!',
        'document_type': 'text',
        'url': 'text',
        'description': 'text',
        'added_at': 'instant',
        'added_by': 'text',
    },
    rules=[("kind not in ('link', 'file')", "concat('kind ''', kind, ''' is not link or file')")],
) }}
