-- A failing row is a month, basis and figure in which the CSMs and '(unassigned)' do not add up to
-- the portfolio and what accounts of several CSMs have more; or one that is not compared.
with

reconciled as (
    select * from {{ ref('fct_csm_reconciliation_months') }}
),

bases as (
    select unnest(['as_of', 'current']) as basis
),

figures as (
    select
        months.month,
        bases.basis,
        {{ each_figure(csm_figures(), 'months') }} as entry
    from {{ ref('fct_portfolio_months') }} as months
    cross join bases
)

select
    figures.month,
    figures.basis,
    figures.entry.figure,
    figures.entry.amount,
    reconciled.csm_total,
    reconciled.multi_assigned_excess,
    reconciled.difference
from figures
full join reconciled
    on
        figures.month = reconciled.month
        and figures.basis = reconciled.basis
        and figures.entry.figure = reconciled.figure
where
    coalesce(reconciled.difference != 0, figures.entry.amount is not null)
    or (figures.entry.amount is null and reconciled.difference is not null)
