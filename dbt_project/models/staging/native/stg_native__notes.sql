{{ staged_records(
    domain='crm',
    entity='notes',
    key=['note_id'],
    columns={
        'note_id': 'text!',
        'account_id': 'text!',
        'interaction_id': 'text',
        'body': 'text!',
        'author': 'text',
        'created_at': 'instant!',
        'updated_at': 'instant',
    },
) }}
