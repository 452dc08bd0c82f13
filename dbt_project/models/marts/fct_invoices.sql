-- One row per invoice: the sums of its lines by class.
with

invoices as (
    select * from {{ ref('stg_canonical__invoices') }}
),

lines as (
    select
        {% for suffix, amount in {'': 'amount', '_reporting': 'booked_reporting'}.items() -%}
        sum({{ amount }}) filter (where is_recurring) as recurring_amount{{ suffix }},
        sum({{ amount }}) filter (where not is_recurring) as non_recurring_amount{{ suffix }},
        sum({{ amount }}) filter (where is_recurring is null) as unclassified_amount{{ suffix }},
        sum({{ amount }}) as total_amount{{ suffix }},
        {% endfor -%}
        invoice_id
    from {{ ref('int_invoice_line__revenue') }}
    group by invoice_id
)

select
    invoices.invoice_id,
    invoices.account_id,
    invoices.currency,
    {%- for suffix in ['', '_reporting'] %}
    {%- for class in ['recurring', 'non_recurring', 'unclassified', 'total'] %}
    coalesce(lines.{{ class }}_amount{{ suffix }}, 0) as {{ class }}_amount{{ suffix }},
    {%- endfor %}
    {%- endfor %}
    invoices.is_failed,
    invoices.created_date,
    invoices.paid_date,
    invoices.created_at,
    invoices.paid_at,
    invoices.location,
    invoices.line
from invoices
left join lines
    on invoices.invoice_id = lines.invoice_id
