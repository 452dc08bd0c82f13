{#- The name of an alert of ours, the same in the CRM that closes it. No rule has a colon. -#}
{% macro rule_alert_id(alerts) -%}
    concat('rule:', {{ alerts }}.rule, ':', {{ alerts }}.account_id, ':', {{ alerts }}.triggered_on)
{%- endmacro %}
