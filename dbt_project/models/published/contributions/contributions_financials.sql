-- One row per figure of MRR, invoices and payments, and record that adds to it. A record of a
-- subscription adds its MRR to every boundary of a month that lies in [active_from, active_to), and
-- to a movement the difference between two boundaries; a line of an invoice adds its amount to the
-- month of its creation, and to that of its payment.
--
-- What several kinds of contributions stand on is pasted into each of them. The engine would
-- compute a CTE that is read more than once before it looks at what is asked for, and a reader asks
-- for one figure of one account.
{% set records -%}
(
    select
        *,
        concat(subscription_id, ' ', start_date) as record_id,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_subscriptions') }}
) as records
{%- endset %}

{% set months -%}
(
    select
        account_id,
        movement,
        month,
        {{ add_days('month', -1) }} as day_before,
        least({{ last_day_of_month('month') }}, {{ last_full_day_of() }}) as last_day
    from {{ ref('account_mrr_monthly') }}
) as months
{%- endset %}

{% set lines -%}
(
    select
        *,
        concat(invoice_id, ' ', line_number) as line_id,
        {{ month_of('created_date') }} as created_month,
        {{ month_of('payment_date') }} as payment_month,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_invoice_lines') }}
) as lines
{%- endset %}

{% set accounts -%}
(
    select * from {{ ref('account_360') }}
) as accounts
{%- endset %}

{% set records_by_month -%}
(
    select
        records.*,
        months.month,
        months.movement,
        months.day_before,
        months.last_day,
        records.active_from <= months.month
        and coalesce(records.active_to > months.month, true) as is_active_on_first_day,
        records.active_from <= months.day_before
        and coalesce(records.active_to > months.day_before, true) as is_active_on_day_before,
        records.active_from <= months.last_day
        and coalesce(records.active_to > months.last_day, true) as is_active_on_last_day
    from {{ months }}
    inner join {{ records }}
        on
            months.account_id = records.account_id
            and months.last_day >= records.active_from
            and coalesce(months.day_before < records.active_to, true)
) as records_by_month
{%- endset %}

-- what it adds at the end of the month less what it added at its start
{% set moved_by_month -%}
(
    select
        *,
        case when is_active_on_last_day then mrr else -mrr end as moved,
        case when is_active_on_last_day then mrr_reporting else -mrr_reporting end
            as moved_reporting
    from {{ records_by_month }}
    where is_active_on_last_day != is_active_on_day_before and not is_trial
) as moved_by_month
{%- endset %}

-- of a subscription that came and went inside the month, the last of its records
{% set came_and_went -%}
(
    select *
    from {{ records_by_month }}
    qualify
        not bool_or(is_active_on_day_before or is_active_on_last_day) over (
            partition by account_id, month, subscription_id
        )
        and row_number() over (
            partition by account_id, month, subscription_id order by active_from desc
        ) = 1
) as came_and_went
{%- endset %}

-- the record whose term ends next; where there is none, the account's own
{% set next_renewals -%}
(
    select *
    from {{ records }}
    where next_renewal_date is not null
    qualify
        row_number() over (
            partition by account_id order by next_renewal_date, subscription_id
        ) = 1
) as next_renewals
{%- endset %}

{% set own_renewals -%}
(
    select
        accounts.*,
        {{ last_full_day_of('accounts') }} as last_full_day
    from {{ accounts }}
    left join {{ next_renewals }}
        on accounts.account_id = next_renewals.account_id
    where accounts.next_renewal_date is not null and next_renewals.account_id is null
) as own_renewals
{%- endset %}

{% set of_record = {'source': 'billing.subscriptions', 'key': 'record_id'} -%}
{% set of_line = {'source': 'billing.invoice_lines', 'key': 'line_id'} -%}
{% for metric in ['monthly_amount', 'monthly_revenue'] -%}
{{ contribution(
    metric, item='record_id', amount=metric, reporting=metric ~ '_reporting',
    period='last_full_day', **of_record
) }}
from {{ records }}
union all
{% endfor -%}
{% for metric, boundary in {
    'subscription_mrr': 'first_day', 'starting_mrr': 'day_before', 'ending_mrr': 'last_day',
}.items() -%}
{{ contribution(
    metric, amount='mrr', reporting='mrr_reporting', period='month', **of_record
) }}
from {{ records_by_month }}
where is_active_on_{{ boundary }} and not is_trial
union all
{% endfor -%}
{% for class in ['new', 'expansion', 'contraction', 'lost'] -%}
{{ contribution(
    class ~ '_mrr', amount='moved', reporting='moved_reporting', period='month', **of_record
) }}
from {{ moved_by_month }}
where movement = '{{ class }}'
union all
{% endfor -%}
{{ contribution(
    'exchange_mrr_reporting', amount='moved_reporting', period='month', **of_record
) }}
from {{ moved_by_month }}
where movement = 'none'
union all
{{ contribution(
    'intra_month_mrr', amount='mrr', reporting='mrr_reporting', period='month', **of_record
) }}
from {{ came_and_went }}
union all
{% for metric, condition in {
    'recurring_invoice_revenue': 'is_recurring',
    'non_recurring_invoice_revenue': 'not is_recurring',
    'unclassified_invoice_revenue': 'is_recurring is null',
    'failed_invoice_revenue': 'is_failed',
}.items() -%}
{{ contribution(
    metric, amount='booked_amount', reporting='booked_amount_reporting',
    period='created_month', **of_line
) }}
from {{ lines }}
where {{ condition }}
union all
{% endfor -%}
{{ contribution(
    'payments', amount='paid_amount', reporting='paid_amount_reporting',
    period='payment_month', **of_line
) }}
from {{ lines }}
where payment_date is not null
union all
{{ contribution(
    'lifetime_revenue', amount='booked_amount', reporting='booked_amount_reporting',
    period='last_full_day', **of_line
) }}
from {{ lines }}
union all
{{ contribution(
    'lifetime_payments', amount='paid_amount', reporting='paid_amount_reporting',
    period='last_full_day', **of_line
) }}
from {{ lines }}
where payment_date is not null
union all
{{ contribution(
    'next_renewal_date', amount='null', period='last_full_day', **of_record
) }}
from {{ next_renewals }}
union all
{{ contribution(
    'next_renewal_date', source='crm.accounts', key='account_id', amount='null',
    period='last_full_day'
) }}
from {{ own_renewals }}
