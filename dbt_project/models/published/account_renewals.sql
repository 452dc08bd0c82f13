with

run_settings as (
    select * from {{ ref('run_settings') }}
),

renewals as (
    select * from {{ ref('int_subscription_record__renewal_outcome') }}
)

select
    renewals.account_id,
    renewals.subscription_id,
    renewals.currency,
    renewals.outcome,
    renewals.renewed_by_subscription_id,
    {%- for column in ['due_mrr', 'renewed_mrr', 'uplift_mrr', 'reduction_mrr'] %}
    cast(renewals.{{ column }} as decimal(18, 4)) as {{ column }},
    cast(renewals.{{ column }}_reporting as decimal(18, 4)) as {{ column }}_reporting,
    {%- endfor %}
    renewals.is_in_open_window,
    renewals.start_date,
    renewals.expiration_date,
    renewals.due_month,
    renewals.renewed_on as renewed_date,
    run_settings.as_of_date
from renewals
cross join run_settings
