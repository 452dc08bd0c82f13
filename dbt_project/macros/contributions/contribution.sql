{#-
    The columns of one kind of contribution, to be selected from what carries account_id, location,
    line and as_of_date: what a record adds to a figure, or to the numerator or denominator of one
    that is a ratio.

    metric     the figure, by the name of its entry in models/metrics
    source     the entity of the record as it landed, or the published table that stands for it
    key        expression: what tells the record apart in it
    amount     expression: what it adds
    period     expression: the day or the first day of the month of the figure
    reporting  expression: what it adds in the reporting currency, of money that has both
    item       expression: what tells the account's figures of a metric and period apart
    part       value; numerator or denominator: the figure is factor · Σ numerator / Σ denominator
    located    false where the record is no landed one
-#}
{% macro contribution(
    metric, source, key, amount, period, reporting='null', item='null', part='value', factor=1,
    located=true
) -%}
    select
        account_id,
        '{{ metric }}' as metric,
        cast({{ item }} as varchar) as item,
        '{{ part }}' as part,
        '{{ source }}' as source_table,
        {{ key }} as source_key,
        {{ 'location' if located else 'cast(null as varchar) as location' }},
        {{ 'line' if located else 'cast(null as bigint) as line' }},
        cast({{ amount }} as decimal(28, 8)) as amount,
        cast({{ reporting }} as decimal(28, 8)) as amount_reporting,
        cast({{ factor }} as double) as factor,
        {{ period }} as period,
        as_of_date
{%- endmacro %}

{#- The day before the as-of date, from a row that carries it: the period of figures of now. -#}
{% macro last_full_day_of(alias=none) -%}
    {{ add_days((alias ~ '.' if alias else '') ~ 'as_of_date', -1) }}
{%- endmacro %}

{#-
    What one of the two records of a renewal, `due` or `renewing`, adds to what was renewed (the
    lesser of both), to the uplift and to the reduction (the difference, from the greater).
-#}
{% macro renewal_parts(side, mrr) -%}
    {%- set own = side ~ '_records.' ~ mrr -%}
    {%- set due, renewing = 'due_records.' ~ mrr, 'renewing_records.' ~ mrr -%}
    {%- set is_lesser = due ~ ' <= ' ~ renewing if side == 'due' else renewing ~ ' < ' ~ due -%}
    case when {{ is_lesser }} then {{ own }} else 0 end as renewed_{{ mrr }},
    case when {{ renewing }} > {{ due }} then {{ own }} else 0 end
    * {{ 1 if side == 'renewing' else -1 }} as uplift_{{ mrr }},
    case when {{ renewing }} < {{ due }} then {{ own }} else 0 end
    * {{ 1 if side == 'due' else -1 }} as reduction_{{ mrr }}
{%- endmacro %}
