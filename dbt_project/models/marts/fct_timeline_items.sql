-- One row per item of an account's timeline. An interaction by e-mail is two: the e-mail, told
-- apart by where it came from, and the touchpoint.
with

interactions as (
    select * from {{ ref('stg_canonical__interactions') }}
),

tickets as (
    select * from {{ ref('stg_canonical__tickets') }}
),

notes as (
    select * from {{ ref('stg_canonical__notes') }}
),

items as (
    select
        account_id,
        'email' as source,
        interaction_id as source_id,
        type as category,
        origin as sub_type,
        subject,
        description as body,
        concat_ws(' ', contact, added_by) as names,
        occurred_at
    from interactions
    where lower(trim(type)) = 'email'
    union all
    select
        account_id,
        'touchpoint' as source,
        interaction_id as source_id,
        type as category,
        sub_type,
        subject,
        description as body,
        concat_ws(' ', contact, added_by) as names,
        occurred_at
    from interactions
    union all
    select
        account_id,
        'support' as source,
        ticket_id as source_id,
        type as category,
        priority as sub_type,
        subject,
        cast(null as varchar) as body,
        concat_ws(' ', requester_email, assignee) as names,
        created_at as occurred_at
    from tickets
    union all
    select
        account_id,
        'note' as source,
        note_id as source_id,
        kind as category,
        cast(null as varchar) as sub_type,
        cast(null as varchar) as subject,
        body,
        author as names,
        created_at as occurred_at
    from notes
)

select
    account_id,
    source,
    source_id,
    lower(trim(category)) as category,
    lower(trim(sub_type)) as sub_type,
    subject,
    body,
    {{ to_search_text("concat_ws(' ', subject, body, names)") }} as search_text,
    occurred_at
from items
