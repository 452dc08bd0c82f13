{#- Between `as` and the parenthesis of a CTE that is read more than once and too large to be kept
    in memory: it is computed each time instead. -#}
{% macro not_kept() -%}
    not materialized
{%- endmacro %}

{#- The version of the engine, as a text. -#}
{% macro engine_version() -%}
    version()
{%- endmacro %}

{#- The names of a table's columns, as a text. -#}
{% macro columns_of(schema, table) -%}
    (
        select string_agg(column_name, ' ' order by column_name)
        from information_schema.columns
        where table_schema = '{{ schema }}' and table_name = '{{ table }}'
    )
{%- endmacro %}
