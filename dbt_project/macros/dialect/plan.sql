{#- Between `as` and the parenthesis of a CTE that is read more than once and too large to be kept
    in memory: it is computed each time instead. -#}
{% macro not_kept() -%}
    not materialized
{%- endmacro %}

{#- The version of the engine, as a text. -#}
{% macro engine_version() -%}
    version()
{%- endmacro %}
