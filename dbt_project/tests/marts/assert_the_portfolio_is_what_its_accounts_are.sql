-- A failing row is a month in which a figure of the portfolio is not what the tables of accounts
-- add up to: MRR, whose movements close it, open tickets as far back as they have months, and on
-- the last full day NPS and health.
with

portfolio as (
    select * from {{ ref('fct_portfolio_months') }}
),

mrr as (
    select
        month,
        count(*) as accounts,
        sum(ending_mrr_reporting) as ending_mrr,
        sum(lost_mrr_reporting) as lost_mrr
    from {{ ref('int_account_month__mrr') }}
    group by month
),

tickets as (
    select
        month,
        sum(open_at_end) as open_tickets
    from {{ ref('int_account_month__tickets') }}
    group by month
),

nps as (
    select
        coalesce(sum(score_total), 0) as score_total,
        coalesce(sum(responses), 0) as responses
    from {{ ref('int_account__nps') }}
),

health as (
    select
        coalesce(sum(health.health_score), 0) as health_total,
        count(health.health_score) as accounts
    from {{ ref('run_settings') }} as run_settings
    left join {{ ref('int_account_day__health') }} as health
        on run_settings.last_full_day = health.day
)

select
    portfolio.month,
    portfolio.accounts,
    portfolio.ending_mrr,
    mrr.ending_mrr as ending_mrr_of_accounts,
    portfolio.open_tickets,
    tickets.open_tickets as open_tickets_of_accounts,
    portfolio.nps_current_numerator,
    portfolio.health_mean_numerator
from portfolio
cross join nps
cross join health
left join mrr
    on portfolio.month = mrr.month
left join tickets
    on portfolio.month = tickets.month
where
    portfolio.accounts != mrr.accounts
    or portfolio.ending_mrr != mrr.ending_mrr
    or portfolio.lost_mrr != mrr.lost_mrr
    or portfolio.starting_mrr + portfolio.new_mrr + portfolio.expansion_mrr
    + portfolio.contraction_mrr + portfolio.lost_mrr + portfolio.exchange_mrr
    != portfolio.ending_mrr
    or portfolio.open_tickets != tickets.open_tickets
    or (
        portfolio.is_open_month
        and (
            portfolio.nps_current_numerator != nps.score_total
            or portfolio.nps_current_denominator != nps.responses
            or portfolio.health_mean_numerator != health.health_total
            or portfolio.health_mean_denominator != health.accounts
        )
    )
