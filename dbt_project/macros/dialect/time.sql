{#- The local calendar day, in the time zone `zone`, of an instant (naive UTC timestamp). Looking up
    a zone takes six times as long as all else, and UTC needs none. -#}
{% macro local_day(instant, zone) -%}
    case
        when {{ zone }} = 'UTC' then cast({{ instant }} as date)
        else cast(timezone({{ zone }}, timezone('UTC', {{ instant }})) as date)
    end
{%- endmacro %}

{#- The instant (naive UTC timestamp) at which a local calendar day begins. -#}
{% macro start_of_day(day, zone) -%}
    case
        when {{ zone }} = 'UTC' then cast({{ day }} as timestamp)
        else timezone('UTC', timezone({{ zone }}, cast({{ day }} as timestamp)))
    end
{%- endmacro %}

{#- The first day of the month of a date. -#}
{% macro month_of(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}

{#- The Monday of the week of a date. -#}
{% macro week_of(day) -%}
    cast(date_trunc('week', {{ day }}) as date)
{%- endmacro %}

{#- The last day of the month of a date. -#}
{% macro last_day_of_month(day) -%}
    last_day({{ day }})
{%- endmacro %}

{% macro add_days(day, number) -%}
    cast({{ day }} + {{ number }} * interval 1 day as date)
{%- endmacro %}

{% macro add_months(day, number) -%}
    cast({{ day }} + {{ number }} * interval 1 month as date)
{%- endmacro %}

{#- Calendar months from the month of one date to the month of another. -#}
{% macro months_between(from_day, to_day) -%}
    cast(date_diff('month', {{ from_day }}, {{ to_day }}) as integer)
{%- endmacro %}

{#- One row per month from `first` to `last` (both first days of months, both in); to be selected as
    a column. -#}
{% macro each_month(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 month)) as date)
{%- endmacro %}

{#- One row per day from `first` to `last` (both in); to be selected as a column. -#}
{% macro each_day(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}

{#- Calendar days from one date to another. -#}
{% macro days_between(from_day, to_day) -%}
    cast(date_diff('day', {{ from_day }}, {{ to_day }}) as integer)
{%- endmacro %}

{#- Whole microseconds from one instant to another. -#}
{% macro microseconds_between(from_instant, to_instant) -%}
    date_diff('microsecond', {{ from_instant }}, {{ to_instant }})
{%- endmacro %}

{% macro subtract_microseconds(instant, number) -%}
    {{ instant }} - to_microseconds({{ number }})
{%- endmacro %}

{#- Whole microseconds as seconds with six decimals, exactly. `digits` is those of the result; the
    sums over many records need more. -#}
{% macro microseconds_to_seconds(microseconds, digits=18) -%}
    cast(
        cast({{ microseconds }} as decimal({{ digits }}, 0)) * cast(0.000001 as decimal(7, 6))
        as decimal({{ digits }}, 6)
    )
{%- endmacro %}
