{#-
    Failing rows of areas of contributions: figures that differ from what their contributions add up
    to, and contributions to a figure that is not published. The rule is that of `metric_closure`.
-#}
{% macro contributions_close(areas) -%}
{%- set metrics = [] -%}
{%- for area in areas -%}
    {%- do metrics.extend(published_figures(area) | map(attribute='metric') | unique) -%}
{%- endfor -%}
select *
from {{ ref('metric_closure') }}
where not closes and metric in ('{{ metrics | join("', '") }}')
{%- endmacro %}
