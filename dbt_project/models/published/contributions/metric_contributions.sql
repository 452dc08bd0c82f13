-- One row per figure of the account pages, part of it and record that adds to it.
{% for area in contribution_areas() -%}
select * from {{ ref('contributions_' ~ area) }}
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
