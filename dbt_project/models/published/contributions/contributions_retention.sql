-- One row per figure of renewals and churn, and record that adds to it. What a renewal is worth
-- comes from two records, the one that was due and the one that renews it; what went with a churned
-- account, from the records that were active before its last month with MRR began.
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

{% set renewals -%}
(
    select
        *,
        concat(subscription_id, ' ', start_date) as due_id,
        concat(renewed_by_subscription_id, ' ', renewed_date) as renewing_id
    from {{ ref('account_renewals') }}
) as renewals
{%- endset %}

{% set due_records -%}
(
    select
        records.*,
        renewals.due_id,
        renewals.outcome,
        renewals.due_month
    from {{ renewals }}
    inner join {{ records }}
        on
            renewals.account_id = records.account_id
            and renewals.due_id = records.record_id
) as due_records
{%- endset %}

{% set renewing_records -%}
(
    select
        records.*,
        renewals.due_id,
        renewals.due_month
    from {{ renewals }}
    inner join {{ records }}
        on
            renewals.account_id = records.account_id
            and renewals.renewing_id = records.record_id
    where renewals.outcome = 'renewed'
) as renewing_records
{%- endset %}

-- the lesser of both is what was renewed, the greater less the lesser is uplift or reduction
{% set compared = {} -%}
{% for side in ['due', 'renewing'] -%}
{% set sql -%}
(
    select
        {{ side }}_records.account_id,
        {{ side }}_records.record_id,
        {{ side }}_records.location,
        {{ side }}_records.line,
        {{ side }}_records.due_id,
        {{ side }}_records.due_month,
        {{ side }}_records.as_of_date,
        {{ renewal_parts(side, 'mrr') }},
        {{ renewal_parts(side, 'mrr_reporting') }}
    from {{ due_records }}
    inner join {{ renewing_records }}
        on
            due_records.account_id = renewing_records.account_id
            and due_records.due_id = renewing_records.due_id
) as compared
{%- endset %}
{% do compared.update({side: sql}) -%}
{% endfor %}

{% set churned -%}
(
    select
        records.*,
        {{ last_full_day_of('records') }} as last_full_day
    from {{ ref('account_churn') }} as churned
    inner join {{ records }}
        on
            churned.account_id = records.account_id
            and records.active_from < churned.lost_mrr_month
            and coalesce(records.active_to >= churned.lost_mrr_month, true)
    where not records.is_trial
) as churned
{%- endset %}

{% set of_record = {'source': 'billing.subscriptions', 'key': 'record_id'} -%}
{{ contribution(
    'due_mrr', item='due_id', amount='mrr', reporting='mrr_reporting', period='due_month',
    **of_record
) }}
from {{ due_records }}
union all
{% for part in ['renewed', 'uplift', 'reduction'] -%}
{% for sql in compared.values() -%}
{{ contribution(
    part ~ '_mrr', item='due_id', amount=part ~ '_mrr', reporting=part ~ '_mrr_reporting',
    period='due_month', **of_record
) }}
from {{ sql }}
where {{ part }}_mrr != 0 or {{ part }}_mrr_reporting != 0
union all
{% endfor -%}
{% endfor -%}
{{ contribution(
    'renewal_outcome', item='due_id', amount='null', period='due_month', **of_record
) }}
from {{ renewing_records }}
union all
{{ contribution(
    'renewal_outcome', item='due_id', amount='null', period='due_month', **of_record
) }}
from {{ due_records }}
where outcome != 'renewed'
union all
{{ contribution(
    'churned_mrr', amount='mrr', reporting='mrr_reporting', period='last_full_day', **of_record
) }}
from {{ churned }}
