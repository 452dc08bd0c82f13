-- One row per rolled-up figure and record that adds to it: the records of the account and of all
-- that is below it. Money is in the reporting currency. One branch for each view of contributions:
-- the engine leaves out the parts of it that a question does not ask for, and takes long to read
-- the view where it stands once for each figure.
{% set families = ref('account_hierarchy') -%}
{% for area, rollups in rolled_up_figures() | groupby('contributions') -%}
select
    families.account_id,
    concat(
        {% if area == 'contributions_financials' -%}
        case parts.metric
            when 'exchange_mrr_reporting' then 'exchange_mrr' else parts.metric
        end,
        {%- else -%}
        parts.metric,
        {%- endif %}
        '_rollup'
    ) as metric,
    parts.item,
    parts.part,
    parts.source_table,
    parts.source_key,
    parts.location,
    parts.line,
    {% if area == 'contributions_financials' -%}
    case parts.metric
        when 'exchange_mrr_reporting' then parts.amount else parts.amount_reporting
    end as amount,
    {%- else -%}
    parts.amount,
    {%- endif %}
    cast(null as decimal(28, 8)) as amount_reporting,
    parts.factor,
    parts.period,
    parts.as_of_date
from {{ families }} as families
inner join {{ ref(area) }} as parts
    on families.descendant_account_id = parts.account_id
where
    parts.metric in (
        {%- for rollup in rollups %}
        '{{ rollup.source_metric }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
