-- One row per account, figure and day of the daily history on which the figure has a value: what
-- health scores, alert rules and the metrics page take their numbers from. The figures come from
-- their owners, side by side, and are turned into rows once. Owner of what is only told by day: the
-- shares of product users, the days active of 30.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select * from {{ ref('int_account_day__spine') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

months as (
    select * from {{ ref('int_account_month__mrr') }}
),

mrr as (
    select * from {{ ref('int_account_day__mrr') }}
),

unpaid_invoices as (
    select * from {{ ref('int_account_day__unpaid_invoices') }}
),

open_tickets as (
    select * from {{ ref('int_account_day__open_tickets') }}
),

nps as (
    select * from {{ ref('int_account_day__nps') }}
),

touchpoints as (
    select * from {{ ref('int_account_day__touchpoints') }}
),

-- joined to the days before they are to the rest: an outer join on an interval compares every pair
csm_scores as (
    select
        days.account_id,
        attributes.number_value as csm_score,
        days.day
    from days
    inner join {{ ref('int_account__attribute_history') }} as attributes
        on
            days.account_id = attributes.account_id
            and attributes.attribute = 'csm_score'
            and days.day >= attributes.valid_from
            and coalesce(days.day < attributes.valid_to, true)
),

usage as (
    select
        active_users.*,
        count_if(active_users.dau > 0) over (
            partition by active_users.account_id
            order by active_users.day
            rows between 29 preceding and current row
        ) as days_active_30d
    from {{ ref('int_account_day__active_users') }} as active_users
    inner join run_settings
        on active_users.day >= {{ add_days('run_settings.figures_first_day', -29) }}
),

renewals as (
    select * from {{ ref('int_account_day__next_renewal') }}
),

-- usage ends with the day before the churn date; before it, an account without users has none: 0
side_by_side as (
    select
        days.account_id,
        coalesce(months.subscription_mrr, 0) as subscription_mrr,
        mrr.ending_mrr,
        mrr.ending_mrr_reporting,
        {% for figure in [
            'dau', 'wau', 'mau', 'product_users', 'session_microseconds', 'days_active_30d',
        ] -%}
        case
            when coalesce(days.day < accounts.churn_date, true) then coalesce(usage.{{ figure }}, 0)
        end as {{ figure }},
        {% endfor -%}
        usage.seconds_per_active_user,
        coalesce(open_tickets.open_tickets, 0) as open_tickets,
        nps.nps_current,
        nps.nps_net,
        touchpoints.days_since_last_touchpoint,
        coalesce(unpaid_invoices.days_invoice_open, 0) as days_invoice_open,
        csm_scores.csm_score,
        renewals.days_to_renewal,
        days.day
    from days
    inner join accounts
        on days.account_id = accounts.account_id
    inner join mrr
        on
            days.account_id = mrr.account_id
            and days.day = mrr.day
    left join months
        on
            days.account_id = months.account_id
            and {{ month_of('days.day') }} = months.month
    left join usage
        on
            days.account_id = usage.account_id
            and days.day = usage.day
    left join open_tickets
        on
            days.account_id = open_tickets.account_id
            and days.day = open_tickets.day
    left join nps
        on
            days.account_id = nps.account_id
            and days.day = nps.day
    left join touchpoints
        on
            days.account_id = touchpoints.account_id
            and days.day = touchpoints.day
    left join unpaid_invoices
        on
            days.account_id = unpaid_invoices.account_id
            and days.day = unpaid_invoices.day
    left join csm_scores
        on
            days.account_id = csm_scores.account_id
            and days.day = csm_scores.day
    left join renewals
        on
            days.account_id = renewals.account_id
            and days.day = renewals.day
),

as_doubles as (
    select
        account_id,
        {% for figure in [
            'subscription_mrr', 'ending_mrr', 'ending_mrr_reporting', 'dau', 'wau', 'mau',
            'product_users', 'days_active_30d', 'open_tickets', 'nps_current', 'nps_net',
            'days_since_last_touchpoint', 'days_invoice_open', 'csm_score', 'days_to_renewal',
        ] -%}
        cast({{ figure }} as double) as {{ figure }},
        {% endfor -%}
        seconds_per_active_user,
        session_microseconds / 1e6 as session_seconds,
        case when product_users > 0 then 100.0 * dau / product_users end as dau_share_pct,
        case when product_users > 0 then 100.0 * mau / product_users end as mau_share_pct,
        day
    from side_by_side
),

computed as (
    select
        account_id,
        figure,
        value,
        day
    from as_doubles
    unpivot (value for figure in (
        subscription_mrr, ending_mrr, ending_mrr_reporting, dau, wau, mau, product_users,
        days_active_30d, open_tickets, nps_current, nps_net, days_since_last_touchpoint,
        days_invoice_open, csm_score, days_to_renewal, session_seconds, seconds_per_active_user,
        dau_share_pct, mau_share_pct
    ))
),

-- modules and features are many: those that a file asks for
asked_figures as (
    select subject as figure
    from {{ source('run', 'measures') }}
    union
    select per as figure
    from {{ source('run', 'measures') }}
),

modules as (
    select
        usage_days.account_id,
        asked_figures.figure,
        sum(usage_days.microseconds) / 1e6 as value,
        usage_days.day
    from {{ ref('int_user_day_module__usage') }} as usage_days
    inner join accounts
        on
            usage_days.account_id = accounts.account_id
            and coalesce(usage_days.day < accounts.churn_date, true)
    inner join run_settings
        on usage_days.day >= run_settings.figures_first_day
    inner join asked_figures
        on concat('module:', usage_days.product, '/', usage_days.module) = asked_figures.figure
    group by usage_days.account_id, asked_figures.figure, usage_days.day
),

features as (
    select
        usage_days.account_id,
        asked_figures.figure,
        cast(sum(usage_days.total_count) as double) as value,
        usage_days.day
    from {{ ref('int_user_day_feature__usage') }} as usage_days
    inner join accounts
        on
            usage_days.account_id = accounts.account_id
            and coalesce(usage_days.day < accounts.churn_date, true)
    inner join run_settings
        on usage_days.day >= run_settings.figures_first_day
    inner join asked_figures
        on
            concat(
                'feature:', usage_days.product, '/', usage_days.module, '/', usage_days.feature
            ) = asked_figures.figure
    group by usage_days.account_id, asked_figures.figure, usage_days.day
),

custom as (
    select
        account_metrics.account_id,
        concat('custom:', account_metrics.metric) as figure,
        cast(account_metrics.value as double) as value,
        account_metrics.recorded_on as day
    from {{ ref('stg_canonical__account_metrics') }} as account_metrics
    inner join days
        on
            account_metrics.account_id = days.account_id
            and account_metrics.recorded_on = days.day
)

select * from computed
union all
select * from modules
union all
select * from features
union all
select * from custom
