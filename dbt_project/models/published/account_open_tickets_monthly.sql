with

run_settings as (
    select * from {{ ref('run_settings') }}
),

tickets as (
    select * from {{ ref('int_account_month_value__open_tickets') }}
)

select
    tickets.account_id,
    tickets.dimension,
    tickets.value,
    tickets.open_at_end,
    tickets.open_during_month,
    tickets.known_as_current_only,
    tickets.month,
    run_settings.as_of_date
from tickets
cross join run_settings
