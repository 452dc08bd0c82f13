-- One row per account: its figures as of the as-of date, beside its attributes.
with

accounts as (
    select * from {{ ref('dim_accounts') }}
),

open_months as (
    select * from {{ ref('int_account_month__mrr') }}
    where is_open_month
),

lifetimes as (
    select * from {{ ref('int_account__lifetime_revenue') }}
),

renewals as (
    select
        account_id,
        min(next_renewal_date) as next_renewal_date
    from {{ ref('int_subscription_record__renewal') }}
    group by account_id
),

activity as (
    select * from {{ ref('int_account__activity') }}
),

nps as (
    select * from {{ ref('int_account__nps') }}
),

health as (
    select health.*
    from {{ ref('int_account_day__health') }} as health
    inner join {{ ref('run_settings') }} as run_settings
        on health.day = run_settings.last_full_day
),

open_ticket_months as (
    select ticket_months.*
    from {{ ref('int_account_month__tickets') }} as ticket_months
    inner join {{ ref('run_settings') }} as run_settings
        on ticket_months.month = run_settings.open_month
),

csms as (
    select
        account_id,
        {{ sorted_once('list(csm_email)') }} as csm_emails,
        count(*) as csm_count
    from {{ ref('int_account_csm__assignments') }}
    where unassigned_on is null
    group by account_id
),

relations as (
    select * from {{ ref('int_account__relations') }}
),

data_through as (
    select * from {{ ref('int_domain__data_through') }}
)

select
    accounts.*,
    coalesce(open_months.subscription_mrr, 0) as subscription_mrr,
    coalesce(open_months.subscription_mrr_reporting, 0) as subscription_mrr_reporting,
    coalesce(open_months.ending_mrr, 0) as ending_mrr,
    coalesce(open_months.ending_mrr_reporting, 0) as ending_mrr_reporting,
    coalesce(lifetimes.lifetime_revenue, 0) as lifetime_revenue,
    coalesce(lifetimes.lifetime_revenue_reporting, 0) as lifetime_revenue_reporting,
    coalesce(lifetimes.lifetime_payments, 0) as lifetime_payments,
    coalesce(lifetimes.lifetime_payments_reporting, 0) as lifetime_payments_reporting,
    coalesce(renewals.next_renewal_date, accounts.renewal_date) as next_renewal_date,
    case when not accounts.is_churned then coalesce(activity.dau, 0) end as dau,
    case when not accounts.is_churned then coalesce(activity.wau, 0) end as wau,
    case when not accounts.is_churned then coalesce(activity.mau, 0) end as mau,
    case when not accounts.is_churned then coalesce(activity.product_users, 0) end
        as product_users,
    activity.seconds_per_active_user,
    activity.activity_rank,
    activity.last_seen_date,
    nps.nps_current,
    nps.nps_net,
    nps.nps_latest_at,
    health.health_score,
    health.health_band,
    open_ticket_months.open_at_end as open_tickets,
    coalesce(csms.csm_emails, []) as csm_emails,
    coalesce(csms.csm_count, 0) as csm_count,
    relations.open_tasks,
    relations.open_alerts,
    relations.last_touchpoint_at,
    data_through.crm_data_through,
    data_through.billing_data_through,
    data_through.events_data_through,
    data_through.tickets_data_through
from accounts
left join open_months
    on accounts.account_id = open_months.account_id
left join lifetimes
    on accounts.account_id = lifetimes.account_id
left join renewals
    on accounts.account_id = renewals.account_id
left join activity
    on accounts.account_id = activity.account_id
left join nps
    on accounts.account_id = nps.account_id
left join health
    on accounts.account_id = health.account_id
left join open_ticket_months
    on accounts.account_id = open_ticket_months.account_id
left join csms
    on accounts.account_id = csms.account_id
left join relations
    on accounts.account_id = relations.account_id
cross join data_through
