with

run_settings as (
    select * from {{ ref('run_settings') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
)

select
    contacts.account_id,
    contacts.contact_id,
    contacts.user_id,
    contacts.first_name,
    contacts.last_name,
    contacts.email,
    contacts.title,
    contacts.phone,
    contacts.is_primary,
    contacts.is_active,
    run_settings.as_of_date
from contacts
cross join run_settings
