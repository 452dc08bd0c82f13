-- One row per item of an account's timeline. An interaction by e-mail is two: the e-mail, told
-- apart by where it came from, and the touchpoint.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

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
        occurred_at,
        location,
        line
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
        occurred_at,
        location,
        line
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
        created_at as occurred_at,
        location,
        line
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
        created_at as occurred_at,
        location,
        line
    from notes
)

select
    items.account_id,
    items.source,
    items.source_id,
    lower(trim(items.category)) as category,
    lower(trim(items.sub_type)) as sub_type,
    items.subject,
    items.body,
    {{ to_search_text("concat_ws(' ', items.subject, items.body, items.names)") }} as search_text,
    {{ local_day('items.occurred_at', 'run_settings.reporting_time_zone') }} as occurred_date,
    items.occurred_at,
    items.location,
    items.line
from items
cross join run_settings
