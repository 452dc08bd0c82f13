-- One row per rolled-up figure and record that adds to it: the records of the account and of all
-- that is below it. Money is in the reporting currency.
{% set families = ref('account_hierarchy') -%}
{% for rollup in rolled_up_figures() -%}
select
    families.account_id,
    '{{ rollup.metric }}_rollup' as metric,
    parts.item,
    parts.part,
    parts.source_table,
    parts.source_key,
    parts.location,
    parts.line,
    {{ 'parts.amount' if rollup.amount == 'amount' else 'parts.amount_reporting as amount' }},
    cast(null as decimal(28, 8)) as amount_reporting,
    parts.factor,
    parts.period,
    parts.as_of_date
from {{ families }} as families
inner join {{ ref(rollup.contributions) }} as parts
    on families.descendant_account_id = parts.account_id
where parts.metric = '{{ rollup.source_metric }}'
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
