-- One row per month, basis and figure: the sum of all rows of fct_csm_months, against that of
-- fct_portfolio_months and what accounts with several CSMs have more among the former.
with

csm_amounts as (
    select
        month,
        basis,
        {{ each_figure(csm_figures()) }} as entry
    from {{ ref('fct_csm_months') }}
),

csm_totals as (
    select
        csm_amounts.month,
        csm_amounts.basis,
        csm_amounts.entry.figure,
        sum(csm_amounts.entry.amount) as amount
    from csm_amounts
    group by csm_amounts.month, csm_amounts.basis, csm_amounts.entry.figure
),

bases as (
    select unnest(['as_of', 'current']) as basis
),

global_totals as (
    select
        months.month,
        bases.basis,
        {{ each_figure(csm_figures(), 'months') }} as entry
    from {{ ref('fct_portfolio_months') }} as months
    cross join bases
),

excesses as (
    select
        month,
        basis,
        figure,
        sum(excess) as excess
    from {{ ref('fct_csm_reconciliation_accounts') }}
    group by month, basis, figure
),

-- a figure that is not known in a month has no row, unless one side has it
compared as (
    select
        coalesce(csm_totals.month, global_totals.month) as month,
        coalesce(csm_totals.basis, global_totals.basis) as basis,
        coalesce(csm_totals.figure, global_totals.entry.figure) as figure,
        csm_totals.amount as csm_total,
        global_totals.entry.amount as global_total
    from csm_totals
    full join global_totals
        on
            csm_totals.month = global_totals.month
            and csm_totals.basis = global_totals.basis
            and csm_totals.figure = global_totals.entry.figure
)

select
    compared.month,
    compared.basis,
    compared.figure,
    cast(coalesce(compared.csm_total, 0) as decimal(18, 4)) as csm_total,
    cast(coalesce(compared.global_total, 0) as decimal(18, 4)) as global_total,
    cast(coalesce(excesses.excess, 0) as decimal(18, 4)) as multi_assigned_excess,
    cast(
        coalesce(compared.csm_total, 0)
        - coalesce(compared.global_total, 0)
        - coalesce(excesses.excess, 0)
        as decimal(18, 4)
    ) as difference
from compared
left join excesses
    on
        compared.month = excesses.month
        and compared.basis = excesses.basis
        and compared.figure = excesses.figure
where compared.csm_total is not null or compared.global_total is not null
