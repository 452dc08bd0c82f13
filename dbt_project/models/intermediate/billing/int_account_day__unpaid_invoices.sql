-- One row per account and day of the daily history on which an invoice is unpaid: the age of the
-- oldest. Owner of the days an invoice is open. Of the invoices in order of creation, each is the
-- oldest unpaid one from the day on which all before it are paid until it is paid itself.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select * from {{ ref('int_account_day__spine') }}
),

invoices as (
    select
        account_id,
        invoice_id,
        created_date,
        coalesce(paid_date, date '9999-12-31') as open_until
    from {{ ref('stg_canonical__invoices') }}
    where not is_failed
),

with_earlier as (
    select
        *,
        max(open_until) over (
            partition by account_id
            order by created_date, invoice_id
            rows between unbounded preceding and 1 preceding
        ) as earlier_open_until
    from invoices
),

oldest as (
    select
        with_earlier.account_id,
        with_earlier.created_date,
        greatest(with_earlier.created_date, with_earlier.earlier_open_until) as oldest_from,
        with_earlier.open_until
    from with_earlier
    inner join run_settings
        on with_earlier.open_until > run_settings.figures_first_day
)

select
    days.account_id,
    {{ days_between('oldest.created_date', 'days.day') }} as days_invoice_open,
    days.day
from days
inner join oldest
    on
        days.account_id = oldest.account_id
        and days.day >= oldest.oldest_from
        and days.day < oldest.open_until
