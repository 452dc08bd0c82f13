-- A failing row is a month and figure whose shares do not add up to the portfolio, to the last
-- ten-thousandth.
with

shares as (
    select
        month,
        {{ each_figure(csm_figures(split=true)) }} as entry
    from {{ ref('fct_csm_split_months') }}
),

shared as (
    select
        shares.month,
        shares.entry.figure,
        sum(shares.entry.amount) as amount
    from shares
    group by shares.month, shares.entry.figure
),

portfolio as (
    select
        month,
        {{ each_figure(csm_figures(split=true)) }} as entry
    from {{ ref('fct_portfolio_months') }}
)

select
    coalesce(shared.month, portfolio.month) as month,
    coalesce(shared.figure, portfolio.entry.figure) as figure,
    shared.amount as shared_amount,
    portfolio.entry.amount
from shared
full join portfolio
    on
        shared.month = portfolio.month
        and shared.figure = portfolio.entry.figure
where shared.amount is distinct from portfolio.entry.amount
