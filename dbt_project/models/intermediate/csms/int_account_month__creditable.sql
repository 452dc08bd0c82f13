-- One row per account, month, kind and day of credit: what of the account's figures is credited on
-- that day, to its CSMs and, once, to the portfolio; NULL where there is nothing. Owner of which
-- account counts in which figure, and on which day. Stock figures are credited at the end of the
-- month, flow figures on the day of the event. A figure that counts accounts counts one once a
-- month, on the last day on which it could.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('int_month__spine') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

mrr as (
    select * from {{ ref('int_account_month__mrr') }}
),

changed_days as (
    select * from {{ ref('int_account_month__mrr_changed_on') }}
),

logo_churn as (
    select * from {{ ref('int_account_month__logo_churn') }}
),

churn as (
    select * from {{ ref('int_account__churn') }}
),

renewals as (
    select * from {{ ref('int_subscription_record__renewal_outcome') }}
),

responses as (
    select * from {{ ref('int_account_response__nps') }}
),

health as (
    select * from {{ ref('int_account_day__health') }}
),

open_times as (
    select * from {{ ref('int_ticket__states') }}
    where is_open
),

closed_alerts as (
    select
        alerts.account_id,
        alerts.outcome,
        {{ local_day('alerts.closed_at', 'run_settings.reporting_time_zone') }} as closed_on
    from {{ ref('int_alert__age') }} as alerts
    cross join run_settings
    where not alerts.is_open and alerts.closed_at is not null
),

retention as (
    select
        account_id,
        {%- for horizon in [1, 3, 12] %}
        sum(kept_mrr_reporting) filter (where horizon_months = {{ horizon }}) as kept_{{ horizon }},
        sum(ending_mrr_reporting) filter (where horizon_months = {{ horizon }})
            as ending_{{ horizon }},
        sum(base_mrr_reporting) filter (where horizon_months = {{ horizon }})
            as base_{{ horizon }},
        {%- endfor %}
        month
    from {{ ref('int_account_month__retention') }}
    group by account_id, month
),

-- what is open, or current, from one day until another is so at the end of every month from that of
-- the one to the one before that of the other
open_ticket_months as (
    select
        open_times.account_id,
        {{ each_month(
            month_of('open_times.started_on'),
            'coalesce('
            ~ add_months(month_of('open_times.ended_on'), -1) ~ ', run_settings.open_month)',
        ) }} as month
    from open_times
    cross join run_settings
),

open_tickets as (
    select
        account_id,
        month,
        count(*) as open_tickets
    from open_ticket_months
    group by account_id, month
),

nps as (
    select
        responses.account_id,
        responses.score_total,
        responses.responses,
        {{ each_month(
            month_of('responses.current_from'),
            'coalesce('
            ~ add_months(month_of('responses.current_to'), -1) ~ ', run_settings.open_month)',
        ) }} as month
    from responses
    cross join run_settings
),

account_months as (
    select
        accounts.account_id,
        months.month,
        months.last_day
    from accounts
    cross join months
),

stock as (
    select
        account_months.account_id,
        account_months.month,
        account_months.last_day as credited_on,
        case when mrr.account_id is not null then 1 end as accounts,
        mrr.subscription_mrr_reporting as subscription_mrr,
        mrr.starting_mrr_reporting as starting_mrr,
        mrr.ending_mrr_reporting as ending_mrr,
        open_tickets.open_tickets,
        {%- for band in ['healthy', 'neutral', 'unhealthy'] %}
        case when health.health_band = '{{ band }}' then 1 end as {{ band }},
        {%- endfor %}
        case when not logo_churn.is_churned_in_month then 1 end as logo_churn_denominator,
        {%- for horizon in [1, 3, 12] %}
        retention.kept_{{ horizon }} as grr_{{ horizon }}m_numerator,
        retention.base_{{ horizon }} as grr_{{ horizon }}m_denominator,
        retention.ending_{{ horizon }} as nrr_{{ horizon }}m_numerator,
        retention.base_{{ horizon }} as nrr_{{ horizon }}m_denominator,
        {%- endfor %}
        nps.score_total as nps_current_numerator,
        nps.responses as nps_current_denominator,
        health.health_score as health_mean_numerator,
        case when health.health_score is not null then 1 end as health_mean_denominator
    from account_months
    left join mrr
        on
            account_months.account_id = mrr.account_id
            and account_months.month = mrr.month
    left join logo_churn
        on
            account_months.account_id = logo_churn.account_id
            and account_months.month = logo_churn.month
    left join retention
        on
            account_months.account_id = retention.account_id
            and account_months.month = retention.month
    left join open_tickets
        on
            account_months.account_id = open_tickets.account_id
            and account_months.month = open_tickets.month
    left join nps
        on
            account_months.account_id = nps.account_id
            and account_months.month = nps.month
    left join health
        on
            account_months.account_id = health.account_id
            and account_months.last_day = health.day
    where
        mrr.account_id is not null
        or open_tickets.account_id is not null
        or nps.account_id is not null
        or health.account_id is not null
),

-- an account with several due records: renewed as soon as one is, lost when none can be any more
due_accounts as (
    select
        account_id,
        max(expiration_date) as credited_on,
        case
            when bool_or(outcome = 'renewed') then 'renewed'
            when bool_or(outcome = 'open') then 'open'
            else 'lost'
        end as outcome
    from renewals
    group by account_id, due_month
),

-- the MRR of an account is affected once, however many of its alerts were closed in the month
affected as (
    select
        account_id,
        {{ month_of('closed_on') }} as month,
        max(closed_on) as credited_on
    from closed_alerts
    group by account_id, {{ month_of('closed_on') }}
),

events as (
    select
        mrr.account_id,
        coalesce(changed_days.mrr_changed_on, months.last_day) as credited_on,
        case mrr.movement when 'none' then 'exchange_mrr' else concat(mrr.movement, '_mrr') end
            as figure,
        mrr.ending_mrr_reporting - mrr.starting_mrr_reporting as amount
    from mrr
    inner join months
        on mrr.month = months.month
    left join changed_days
        on
            mrr.account_id = changed_days.account_id
            and mrr.month = changed_days.month
    where mrr.movement != 'none' or mrr.exchange_mrr_reporting != 0
    {%- for figure, amount in {
        'churned_accounts': '1',
        'churned_mrr': 'lost_mrr_reporting',
        'logo_churn_numerator': 'cast(is_in_base as integer)',
        'logo_churn_denominator': 'cast(is_in_base as integer)',
    }.items() %}
    union all
    select
        account_id,
        churn_date as credited_on,
        '{{ figure }}' as figure,
        {{ amount }} as amount
    from churn
    where churn_date is not null
    {%- endfor %}
    {%- for figure, condition in {
        'due_accounts': 'true',
        'renewed_accounts': "outcome = 'renewed'",
        'open_accounts': "outcome = 'open'",
        'renewal_rate_accounts_numerator': "outcome = 'renewed'",
        'renewal_rate_accounts_denominator': "outcome != 'open'",
    }.items() %}
    union all
    select
        account_id,
        credited_on,
        '{{ figure }}' as figure,
        1 as amount
    from due_accounts
    where {{ condition }}
    {%- endfor %}
    {%- for figure, (amount, condition) in {
        'due_mrr': ('due_mrr', 'true'),
        'open_mrr': ('due_mrr', "outcome = 'open'"),
        'renewed_mrr': ('renewed_mrr', 'true'),
        'uplift_mrr': ('uplift_mrr', 'true'),
        'reduction_mrr': ('reduction_mrr', 'true'),
        'renewal_rate_numerator': ('renewed_mrr', 'true'),
        'renewal_rate_denominator': ('due_mrr', "outcome != 'open'"),
    }.items() %}
    union all
    select
        account_id,
        expiration_date as credited_on,
        '{{ figure }}' as figure,
        {{ amount }}_reporting as amount
    from renewals
    where {{ condition }}
    {%- endfor %}
    {%- for figure, condition in {
        'alerts_closed': 'true',
        'alerts_successful': "outcome = 'successful'",
        'alerts_unsuccessful': "outcome = 'unsuccessful'",
        'alerts_false_alarm': "outcome = 'false_alarm'",
    }.items() %}
    union all
    select
        account_id,
        closed_on as credited_on,
        '{{ figure }}' as figure,
        1 as amount
    from closed_alerts
    where {{ condition }}
    {%- endfor %}
    union all
    select
        affected.account_id,
        affected.credited_on,
        'affected_mrr' as figure,
        mrr.starting_mrr_reporting as amount
    from affected
    inner join mrr
        on
            affected.account_id = mrr.account_id
            and affected.month = mrr.month
),

{% set stock_figures = [
    'accounts', 'subscription_mrr', 'starting_mrr', 'ending_mrr', 'open_tickets', 'healthy',
    'neutral', 'unhealthy', 'grr_1m_numerator', 'grr_1m_denominator', 'grr_3m_numerator',
    'grr_3m_denominator', 'grr_12m_numerator', 'grr_12m_denominator', 'nrr_1m_numerator',
    'nrr_1m_denominator', 'nrr_3m_numerator', 'nrr_3m_denominator', 'nrr_12m_numerator',
    'nrr_12m_denominator', 'nps_current_numerator', 'nps_current_denominator',
    'health_mean_numerator', 'health_mean_denominator',
] -%}
flow as (
    select
        events.account_id,
        months.month,
        {%- for figure in csm_figures() if figure not in stock_figures %}
        sum(events.amount) filter (where events.figure = '{{ figure }}') as {{ figure }},
        {%- endfor %}
        events.credited_on
    from events
    inner join months
        on {{ month_of('events.credited_on') }} = months.month
    where events.amount != 0
    group by events.account_id, months.month, events.credited_on
)

select
    account_id,
    month,
    'stock' as kind,
    {%- for figure in csm_figures() %}
    {%- set held = figure in stock_figures or figure == 'logo_churn_denominator' %}
    cast({{ figure if held else 'null' }} as decimal(18, 4)) as {{ figure }},
    {%- endfor %}
    credited_on
from stock
union all
select
    account_id,
    month,
    'flow' as kind,
    {%- for figure in csm_figures() %}
    cast({{ figure if figure not in stock_figures else 'null' }} as decimal(18, 4)) as {{ figure }},
    {%- endfor %}
    credited_on
from flow
