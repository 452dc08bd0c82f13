{#- The elements of a list in their order, each once; an empty list where there is none. -#}
{% macro sorted_once(list) -%}
    coalesce(list_sort(list_distinct({{ list }})), [])
{%- endmacro %}
