{{ staged_records(
    domain='crm',
    entity='nps_responses',
    optional_key='response_id',
    deduplication='nps_deduplication',
    columns={
        'account_id': 'text!',
        'submitted_at': 'instant!',
        'score': 'whole!',
        'user_email': 'text',
        'survey_name': 'text',
        'comment': 'text',
        'response_id': 'text',
    },
    rules=[('score not between 0 and 10', "concat('score ', raw_score, ' is not in 0–10')")],
) }}
