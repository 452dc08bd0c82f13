{#- The list of {key, value} in a JSON text, both as text; empty where the text is no such list. -#}
{% macro key_values(json) -%}
    coalesce(from_json({{ json }}, '[{"key": "VARCHAR", "value": "VARCHAR"}]'), [])
{%- endmacro %}

{#- One row per element of a list; to be selected as a column. -#}
{% macro each_element(list) -%}
    unnest({{ list }})
{%- endmacro %}

{#- Beside `each_element`: where in the list the element stands, from 1. -#}
{% macro each_position(list) -%}
    generate_subscripts({{ list }}, 1)
{%- endmacro %}

{#- The elements of a list in their order, each once; an empty list where there is none. -#}
{% macro sorted_once(list) -%}
    coalesce(list_sort(list_distinct({{ list }})), [])
{%- endmacro %}
