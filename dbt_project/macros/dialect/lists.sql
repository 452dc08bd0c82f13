{#- The elements of a list in their order, each once; an empty list where there is none. -#}
{% macro sorted_once(list) -%}
    coalesce(list_sort(list_distinct({{ list }})), [])
{%- endmacro %}

{#- One row per column: its name as `figure`, its value as the decimal `amount`; to be selected as a
    column. -#}
{% macro each_figure(columns, alias=none) -%}
    unnest([
        {%- for column in columns %}
        struct_pack(
            figure := '{{ column }}',
            amount := cast({{ alias ~ '.' if alias }}{{ column }} as decimal(38, 4))
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ])
{%- endmacro %}
