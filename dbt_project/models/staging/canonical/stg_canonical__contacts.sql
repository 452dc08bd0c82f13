-- Contacts at the accounts that exist.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

contacts as (
    select * from {{ ref('stg_native__contacts') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    contacts.account_id,
    contacts.contact_id,
    contacts.first_name,
    contacts.last_name,
    contacts.email,
    contacts.title,
    contacts.phone,
    contacts.custom_label_dimensions,
    contacts.custom_value_dimensions,
    contacts.custom_event_dimensions,
    contacts.is_primary,
    contacts.is_active,
    contacts.location,
    contacts.line
from contacts
inner join accounts
    on contacts.account_id = accounts.account_id
