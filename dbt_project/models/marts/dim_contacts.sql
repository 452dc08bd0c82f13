-- One row per account and contact, with the product user who is the same person. Where several
-- users name one contact it is the one with the least id.
with

contacts as (
    select * from {{ ref('stg_canonical__contacts') }}
),

users as (
    select
        account_id,
        contact_id,
        min(user_id) as user_id
    from {{ ref('stg_canonical__users') }}
    where contact_id is not null
    group by account_id, contact_id
)

select
    contacts.account_id,
    contacts.contact_id,
    users.user_id,
    contacts.first_name,
    contacts.last_name,
    contacts.email,
    contacts.title,
    contacts.phone,
    contacts.is_primary,
    contacts.is_active
from contacts
left join users
    on
        contacts.account_id = users.account_id
        and contacts.contact_id = users.contact_id
