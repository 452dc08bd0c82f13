-- A failing row is a key of money or accounts of which two versions hold at once.
{% set keys = {
    'accounts': ['account_id'],
    'account_aliases': ['old_account_id'],
    'subscriptions': ['subscription_id', 'start_date'],
    'invoices': ['invoice_id'],
    'invoice_lines': ['invoice_id', 'line_number'],
    'fx_rates': ['rate_date', 'from_currency', 'to_currency'],
} -%}
{% for entity, key in keys.items() -%}
select
    '{{ entity }}' as entity,
    concat_ws(' ', {{ key | join(', ') }}) as record_key,
    count(*) as versions
from {{ ref('stg_native__' ~ entity) }}
where record_status in ('current', 'unattributed') and not is_dated_after
group by {{ key | join(', ') }}
having count(*) > 1
{% if not loop.last %}union all{% endif %}
{% endfor %}
