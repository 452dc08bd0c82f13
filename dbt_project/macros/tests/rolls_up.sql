{#-
    Failing rows of a table that is published rolled up as well, with what is wrong. An account
    without descendants has there what it has here; and what the accounts without a parent have
    there adds up to what all accounts have here, so that nobody is left out or counted twice.

    table   the published table; `<table>_rollup` is the other one
    keys    the columns that tell its rows apart beside the account, the day or month last
    sums    columns that add up over accounts, by their names in the rolled-up table
    others  columns that do not
    suffix  what the names of the sums have behind them in the table: its money in the reporting
            currency
-#}
{% macro rolls_up(table, keys, sums, others=[], suffix='') -%}
with

families as (
    select * from {{ ref('account_hierarchy') }}
),

own as (
    select * from {{ ref(table) }}
),

rolled_up as (
    select * from {{ ref(table ~ '_rollup') }}
),

parents as (
    select account_id
    from families
    where depth > 0
),

tops as (
    select descendant_account_id as account_id
    from families
    group by descendant_account_id
    having max(depth) = 0
),

leaves as (
    select *
    from own
    where account_id not in (select parents.account_id from parents)
),

leaves_rolled_up as (
    select *
    from rolled_up
    where descendants = 0
),

totals as (
    select
        {%- for column in sums %}
        sum({{ column }}{{ suffix }}) as {{ column }},
        {%- endfor %}
        {{ keys | join(', ') }}
    from own
    group by {{ keys | join(', ') }}
),

totals_rolled_up as (
    select
        {%- for column in sums %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
        {{ keys | join(', ') }}
    from rolled_up
    where account_id in (select tops.account_id from tops)
    group by {{ keys | join(', ') }}
)

select
    coalesce(leaves.account_id, leaves_rolled_up.account_id) as account_id,
    coalesce(leaves.{{ keys[-1] }}, leaves_rolled_up.{{ keys[-1] }}) as {{ keys[-1] }},
    'differs from its own figures, without descendants' as problem
from leaves
full join leaves_rolled_up
    on
        leaves.account_id = leaves_rolled_up.account_id
        {%- for key in keys %}
        and leaves.{{ key }} = leaves_rolled_up.{{ key }}
        {%- endfor %}
where
    leaves.account_id is null
    or leaves_rolled_up.account_id is null
    {%- for column in sums %}
    or leaves.{{ column }}{{ suffix }} is distinct from leaves_rolled_up.{{ column }}
    {%- endfor %}
    {%- for column in others %}
    or leaves.{{ column }} is distinct from leaves_rolled_up.{{ column }}
    {%- endfor %}
union all
select
    '(total)' as account_id,
    coalesce(totals.{{ keys[-1] }}, totals_rolled_up.{{ keys[-1] }}) as {{ keys[-1] }},
    'the tops of the hierarchy do not add up to all accounts' as problem
from totals
full join totals_rolled_up
    on
        {%- for key in keys %}
        {{ 'and ' if not loop.first }}totals.{{ key }} = totals_rolled_up.{{ key }}
        {%- endfor %}
where
    {%- for column in sums %}
    {{ 'or ' if not loop.first }}totals.{{ column }} is distinct from totals_rolled_up.{{ column }}
    {%- endfor %}
{%- endmacro %}
