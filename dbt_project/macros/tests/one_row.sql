{#- A failing row says how many rows there are instead of one. -#}
{% test one_row(model) %}
select count(*) as row_count
from {{ model }}
having count(*) != 1
{% endtest %}
