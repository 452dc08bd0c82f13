-- One row per CSM, month and basis (as_of, current): the figures of the accounts credited to the
-- CSM, each account in full. '(unassigned)' holds the accounts without a CSM, and has every month
-- of the portfolio; a CSM has those from the first month in which something is credited to it.
with

months as (
    select * from {{ ref('int_month__spine') }}
),

credits as (
    select * from {{ ref('int_account_day__credited_csms') }}
),

creditable as (
    select * from {{ ref('int_account_month__creditable') }}
),

sums as (
    select
        credits.csm_email,
        credits.basis,
        creditable.month,
        {{ csm_sums('creditable') }}
    from creditable
    inner join credits
        on
            creditable.account_id = credits.account_id
            and creditable.kind = credits.kind
            and creditable.credited_on = credits.credited_on
    group by credits.csm_email, credits.basis, creditable.month
),

first_months as (
    select
        csm_email,
        basis,
        min(month) as first_month
    from sums
    where csm_email != '(unassigned)'
    group by csm_email, basis
    union all
    select
        '(unassigned)' as csm_email,
        unnest(['as_of', 'current']) as basis,
        min(month) as first_month
    from months
)

select
    first_months.csm_email,
    first_months.basis,
    months.month,
    months.is_open_month,
    {{ csm_columns() }}
from first_months
inner join months
    on first_months.first_month <= months.month
left join sums
    on
        first_months.csm_email = sums.csm_email
        and first_months.basis = sums.basis
        and months.month = sums.month
