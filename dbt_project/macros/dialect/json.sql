{#- The entries of a list in a JSON text. What is no list is its own only entry; null has none. -#}
{% macro json_entries(json) -%}
    case json_type({{ json }})
        when 'ARRAY' then json_extract({{ json }}, '$[*]')
        when 'NULL' then []
        else [json_extract({{ json }}, '$')]
    end
{%- endmacro %}

{#- One row per entry of a list in a JSON text; to be selected as a column. -#}
{% macro each_json_entry(json) -%}
    unnest({{ json_entries(json) }})
{%- endmacro %}

{#- Beside `each_json_entry`: where in the list the entry stands, from 1. -#}
{% macro each_json_position(json) -%}
    generate_subscripts({{ json_entries(json) }}, 1)
{%- endmacro %}

{#- A field of a JSON object as text; NULL where it is absent, null, or the JSON is no object. -#}
{% macro json_field(json, field) -%}
    json_extract_string({{ json }}, '$.{{ field }}')
{%- endmacro %}
