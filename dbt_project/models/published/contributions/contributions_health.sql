-- One row per figure of health and component that gives to it. What the scores of components are
-- made of stands in the health file and in account_metrics_daily.
--
-- What several kinds of contributions stand on is pasted into each of them (see the decision
-- "What contributions share is pasted, not a CTE").
{% set components -%}
(
    select
        *,
        concat(component, ' ', day) as component_day
    from {{ ref('account_health_components') }}
) as components
{%- endset %}

{% set of_component = {
    'source': 'account_health_components', 'key': 'component_day', 'period': 'day',
    'located': false,
} -%}
{{ contribution('health_score', amount='contribution', **of_component) }}
from {{ components }}
where contribution is not null
union all
{{ contribution(
    'health_contribution', item='component', amount='contribution', **of_component
) }}
from {{ components }}
union all
{{ contribution('health_component_score', item='component', amount='score', **of_component) }}
from {{ components }}
