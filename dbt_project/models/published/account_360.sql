with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('fct_accounts') }}
)

select
    accounts.account_id,
    accounts.account_name,
    accounts.currency,
    accounts.tier,
    accounts.stage,
    accounts.industry,
    accounts.country,
    accounts.parent_account_id,
    accounts.churn_reason,
    accounts.csm_emails,
    accounts.csm_count,
    accounts.csm_score,
    accounts.is_churned,
    accounts.join_date,
    accounts.churn_date,
    cast(accounts.subscription_mrr as decimal(18, 4)) as subscription_mrr,
    cast(accounts.subscription_mrr_reporting as decimal(18, 4)) as subscription_mrr_reporting,
    cast(accounts.ending_mrr as decimal(18, 4)) as ending_mrr,
    cast(accounts.ending_mrr_reporting as decimal(18, 4)) as ending_mrr_reporting,
    cast(accounts.lifetime_revenue as decimal(18, 4)) as lifetime_revenue,
    cast(accounts.lifetime_revenue_reporting as decimal(18, 4)) as lifetime_revenue_reporting,
    cast(accounts.lifetime_payments as decimal(18, 4)) as lifetime_payments,
    cast(accounts.lifetime_payments_reporting as decimal(18, 4)) as lifetime_payments_reporting,
    accounts.next_renewal_date,
    accounts.last_seen_date,
    accounts.dau,
    accounts.wau,
    accounts.mau,
    accounts.seconds_per_active_user,
    accounts.product_users,
    accounts.activity_rank,
    accounts.nps_current,
    accounts.nps_net,
    accounts.nps_latest_at,
    accounts.health_score,
    accounts.health_band,
    accounts.open_tickets,
    accounts.open_tasks,
    accounts.open_alerts,
    accounts.last_touchpoint_at,
    accounts.crm_data_through,
    accounts.billing_data_through,
    accounts.events_data_through,
    accounts.tickets_data_through,
    accounts.location,
    accounts.line,
    run_settings.as_of_date
from accounts
cross join run_settings
