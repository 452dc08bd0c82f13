-- One row per published figure of the account pages: what its contributions have to add up to.
{% for area in contribution_areas() -%}
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
    {{ figure.is_rounded | lower }} as is_rounded,
    {{ figure.period or last_full_day_of() }} as period,
    as_of_date
from {{ ref(figure.table) }}
where {{ figure.where }}
union all
{% endfor -%}
{% endfor -%}
select
    account_id,
    metric,
    cast(null as varchar) as item,
    'account_metrics_daily.value' as published_in,
    'contributions_metrics_page' as contributions,
    value,
    cast(null as double) as value_reporting,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    false as is_rounded,
    day as period,
    as_of_date
from {{ ref('account_metrics_daily') }}
where metric like 'custom:%'
