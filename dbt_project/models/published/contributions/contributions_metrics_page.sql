-- One row per figure by day that only the metrics page has, part of it and what adds to it.
-- ending_mrr_daily and subscription_mrr_daily are the MRR of the day, beside that of the month.
--
-- What several kinds of contributions stand on is pasted into each of them (see the decision
-- "What contributions share is pasted, not a CTE").
{% set records -%}
(
    select
        *,
        concat(subscription_id, ' ', start_date) as record_id
    from {{ ref('account_subscriptions') }}
) as records
{%- endset %}

{% set days -%}
(
    select
        account_id,
        metric,
        value,
        day as counted_day
    from {{ ref('account_metrics_daily') }}
) as days
{%- endset %}

{% set active_records -%}
(
    select
        records.*,
        days.metric,
        days.counted_day
    from {{ days }}
    inner join {{ records }}
        on
            days.account_id = records.account_id
            and days.counted_day >= records.active_from
            and coalesce(days.counted_day < records.active_to, true)
    where not records.is_trial
) as active_records
{%- endset %}

{% set records_of_first_days -%}
(
    select
        records.*,
        days.counted_day
    from {{ days }}
    inner join {{ records }}
        on
            days.account_id = records.account_id
            and {{ month_of('days.counted_day') }} >= records.active_from
            and coalesce({{ month_of('days.counted_day') }} < records.active_to, true)
    where days.metric = 'subscription_mrr' and not records.is_trial
) as records_of_first_days
{%- endset %}

{% set users -%}
(
    select
        users.*,
        days.metric as share,
        days.counted_day
    from {{ days }}
    inner join {{ ref('contributions_activity') }} as users
        on
            days.account_id = users.account_id
            and days.counted_day = users.period
) as users
{%- endset %}

{% set days_of_activity -%}
(
    select
        activity.account_id,
        activity.day,
        activity.as_of_date,
        days.counted_day
    from {{ days }}
    inner join {{ ref('account_activity_daily') }} as activity
        on
            days.account_id = activity.account_id
            and days.counted_day >= activity.day
            and days.counted_day < {{ add_days('activity.day', 30) }}
    where days.metric = 'days_active_30d' and activity.dau > 0
) as days_of_activity
{%- endset %}

{% set open_tickets -%}
(
    select
        states.*,
        concat(states.ticket_id, ' ', states.started_at) as change_id,
        days.counted_day
    from {{ days }}
    inner join {{ ref('account_ticket_states') }} as states
        on
            days.account_id = states.account_id
            and states.is_open
            and days.counted_day >= states.started_date
            and coalesce(days.counted_day < states.ended_date, true)
    where days.metric = 'open_tickets'
) as open_tickets
{%- endset %}

{% set last_touchpoints -%}
(
    select
        interactions.*,
        {{ days_between('interactions.occurred_date', 'days.counted_day') }} as age_days,
        days.counted_day
    from {{ days }}
    inner join {{ ref('account_touchpoints') }} as interactions
        on
            days.account_id = interactions.account_id
            and days.counted_day >= interactions.occurred_date
    where days.metric = 'days_since_last_touchpoint' and interactions.is_completed
    qualify
        row_number() over (
            partition by days.account_id, days.counted_day
            order by interactions.occurred_at desc, interactions.interaction_id desc
        ) = 1
) as last_touchpoints
{%- endset %}

{% set oldest_unpaid -%}
(
    select
        invoices.*,
        {{ days_between('invoices.created_date', 'days.counted_day') }} as age_days,
        days.counted_day
    from {{ days }}
    inner join {{ ref('account_invoices') }} as invoices
        on
            days.account_id = invoices.account_id
            and days.counted_day >= invoices.created_date
            and coalesce(days.counted_day < invoices.paid_date, true)
    where days.metric = 'days_invoice_open' and not invoices.is_failed
    qualify
        row_number() over (
            partition by days.account_id, days.counted_day
            order by invoices.created_date, invoices.invoice_id
        ) = 1
) as oldest_unpaid
{%- endset %}

-- the version of the account's record that held on the day
{% set versions -%}
(
    select
        versions.*,
        days.metric,
        {{ days_between('days.counted_day', 'versions.renewal_date') }} as days_to_renewal,
        days.counted_day
    from {{ days }}
    inner join {{ ref('account_versions') }} as versions
        on
            days.account_id = versions.account_id
            and coalesce(days.counted_day >= versions.version_date, true)
    qualify
        row_number() over (
            partition by days.account_id, days.metric, days.counted_day
            order by versions.version_date desc nulls last
        ) = 1
) as versions
{%- endset %}

-- of what was active on the day, what expires next
{% set next_expirations -%}
(
    select
        records.*,
        {{ days_between('days.counted_day', 'records.expiration_date') }} as days_to_renewal,
        days.counted_day
    from {{ days }}
    inner join {{ records }}
        on
            days.account_id = records.account_id
            and days.counted_day >= records.active_from
            and coalesce(days.counted_day < records.active_to, true)
            and days.counted_day < records.expiration_date
    where days.metric = 'days_to_renewal'
    qualify
        row_number() over (
            partition by days.account_id, days.counted_day
            order by records.expiration_date, records.subscription_id
        ) = 1
) as next_expirations
{%- endset %}

{% set stated_renewals -%}
(
    select versions.*
    from {{ versions }}
    left join {{ next_expirations }}
        on
            versions.account_id = next_expirations.account_id
            and versions.counted_day = next_expirations.counted_day
    where versions.metric = 'days_to_renewal' and next_expirations.account_id is null
) as stated_renewals
{%- endset %}

{% set of_record = {'source': 'billing.subscriptions', 'key': 'record_id'} -%}
{% set of_account = {'source': 'crm.accounts', 'key': 'account_id'} -%}
{{ contribution(
    'ending_mrr_reporting', amount='mrr_reporting', period='counted_day', **of_record
) }}
from {{ active_records }}
where metric = 'ending_mrr_reporting'
union all
{{ contribution('ending_mrr_daily', amount='mrr', period='counted_day', **of_record) }}
from {{ active_records }}
where metric = 'ending_mrr'
union all
{{ contribution('subscription_mrr_daily', amount='mrr', period='counted_day', **of_record) }}
from {{ records_of_first_days }}
union all
{% for share in ['dau', 'mau'] -%}
{% for part, metric in {'numerator': share, 'denominator': 'product_users'}.items() -%}
select
    account_id,
    '{{ share }}_share_pct' as metric,
    item,
    '{{ part }}' as part,
    source_table,
    source_key,
    location,
    line,
    amount,
    amount_reporting,
    cast(100 as double) as factor,
    period,
    as_of_date
from {{ users }}
where share = '{{ share }}_share_pct' and metric = '{{ metric }}'
union all
{% endfor -%}
{% endfor -%}
{{ contribution(
    'days_active_30d', source='account_activity_daily', key='cast(day as varchar)', amount=1,
    period='counted_day', located=false
) }}
from {{ days_of_activity }}
union all
{{ contribution(
    'open_tickets', source='tickets.tickets', key='ticket_id', amount=1, period='counted_day'
) }}
from {{ open_tickets }}
where source_table = 'tickets.tickets'
union all
{{ contribution(
    'open_tickets', source='tickets.ticket_changes', key='change_id', amount=1,
    period='counted_day'
) }}
from {{ open_tickets }}
where source_table = 'tickets.ticket_changes'
union all
{{ contribution(
    'days_since_last_touchpoint', source='crm.interactions', key='interaction_id',
    amount='age_days', period='counted_day'
) }}
from {{ last_touchpoints }}
union all
{{ contribution(
    'days_invoice_open', source='billing.invoices', key='invoice_id', amount='age_days',
    period='counted_day'
) }}
from {{ oldest_unpaid }}
union all
{{ contribution('csm_score', amount='csm_score', period='counted_day', **of_account) }}
from {{ versions }}
where metric = 'csm_score'
union all
{{ contribution(
    'days_to_renewal', amount='days_to_renewal', period='counted_day', **of_record
) }}
from {{ next_expirations }}
union all
{{ contribution(
    'days_to_renewal', amount='days_to_renewal', period='counted_day', **of_account
) }}
from {{ stated_renewals }}
union all
select
    account_id,
    concat('custom:', metric) as metric,
    cast(null as varchar) as item,
    'value' as part,
    'crm.account_metrics' as source_table,
    concat(account_id, ' ', metric, ' ', recorded_date) as source_key,
    location,
    line,
    value as amount,
    cast(null as decimal(28, 8)) as amount_reporting,
    cast(1 as double) as factor,
    recorded_date as period,
    as_of_date
from {{ ref('account_custom_metrics') }}
