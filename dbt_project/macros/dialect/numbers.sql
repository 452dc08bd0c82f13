{#- The value below which a share of the values lies, interpolated between its two neighbours; an
    aggregate. NULL where there is no value. -#}
{% macro percentile(value, share) -%}
    quantile_cont({{ value }}, {{ share }})
{%- endmacro %}
