-- One row per published figure of the account pages: what its contributions have to add up to.
{% for area in contribution_areas() -%}
{% set outer_loop = loop -%}
{% for figure in published_figures(area) -%}
select
    account_id,
    '{{ figure.metric }}' as metric,
    cast({{ figure.item }} as varchar) as item,
    '{{ figure.table }}.{{ figure.column }}' as published_in,
    'contributions_{{ area }}' as contributions,
    cast({{ figure.column }} as double) as value,
    cast({{ figure.column ~ '_reporting' if figure.has_twin else 'null' }} as double)
        as value_reporting,
    cast({{ figure.numerator }} as double) as numerator,
    cast({{ figure.denominator }} as double) as denominator,
    {{ figure.period or last_full_day_of() }} as period,
    as_of_date
from {{ ref(figure.table) }}
where {{ figure.where }}
{% if not (loop.last and outer_loop.last) %}union all
{% endif %}
{%- endfor %}
{%- endfor %}
