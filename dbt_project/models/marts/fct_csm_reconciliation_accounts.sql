-- One row per account, month, basis and figure that is credited to several CSMs in full: by what
-- the CSMs have more of it than the portfolio. An account with events on several days may have
-- other CSMs on each: amounts are added up, and the number of CSMs is the greatest.
with

creditable as (
    select * from {{ ref('int_account_month__creditable') }}
),

credits as (
    select
        account_id,
        kind,
        basis,
        csm_count,
        credited_on
    from {{ ref('int_account_day__credited_csms') }}
    where csm_number = 1 and csm_count > 1
),

amounts as (
    select
        creditable.account_id,
        credits.basis,
        creditable.month,
        credits.csm_count,
        {{ each_figure(csm_figures(), 'creditable') }} as entry
    from creditable
    inner join credits
        on
            creditable.account_id = credits.account_id
            and creditable.kind = credits.kind
            and creditable.credited_on = credits.credited_on
)

select
    amounts.account_id,
    amounts.basis,
    amounts.entry.figure,
    amounts.month,
    max(amounts.csm_count) as csm_count,
    count(*) as credit_days,
    cast(sum(amounts.entry.amount) as decimal(18, 4)) as amount,
    cast(sum((amounts.csm_count - 1) * amounts.entry.amount) as decimal(18, 4)) as excess
from amounts
where amounts.entry.amount != 0
group by amounts.account_id, amounts.basis, amounts.entry.figure, amounts.month
