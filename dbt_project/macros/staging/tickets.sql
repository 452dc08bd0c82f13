{#- A status as it is compared: trimmed, in lower case, and open where there is none. -#}
{% macro ticket_status(text) -%}
    coalesce(nullif(lower(trim({{ text }})), ''), 'open')
{%- endmacro %}

{#- `solved` and `closed` are one state; every other status is open. -#}
{% macro is_closed_status(status) -%}
    {{ status }} in ('solved', 'closed')
{%- endmacro %}

{#- A priority or type as it is compared: trimmed, and unspecified where there is none. -#}
{% macro ticket_label(text) -%}
    coalesce(nullif(trim({{ text }}), ''), 'unspecified')
{%- endmacro %}
