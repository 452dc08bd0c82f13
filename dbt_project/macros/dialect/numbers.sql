{#-
    Measures and scores are whole millionths: comparisons, sums and roundings are exact, and do not
    hang on the order of rows or on how a machine adds floats.
-#}

{#- A number (double or decimal) as whole millionths, half up (away from zero on a tie). -#}
{% macro to_millionths(number) -%}
    cast(round({{ number }} * 1000000) as hugeint)
{%- endmacro %}

{#- Whole millionths as a decimal of six places. -#}
{% macro millionths_to_decimal(millionths) -%}
    cast(
        cast({{ millionths }} as decimal(18, 0)) * cast(0.000001 as decimal(7, 6))
        as decimal(18, 6)
    )
{%- endmacro %}

{#- The quotient of two whole numbers, rounded half up (away from zero on a tie) to a whole one;
    NULL where the divisor is 0 or absent. -#}
{% macro divide_half_up(dividend, divisor) -%}
    case
        when {{ divisor }} != 0
            then
                sign({{ dividend }}) * sign({{ divisor }})
                * ((2 * abs({{ dividend }}) + abs({{ divisor }})) // (2 * abs({{ divisor }})))
    end
{%- endmacro %}

{#- The value below which a share of the values lies, interpolated between its two neighbours; an
    aggregate. NULL where there is no value. -#}
{% macro percentile(value, share) -%}
    quantile_cont({{ value }}, {{ share }})
{%- endmacro %}

{#- numerator / denominator · times, as a double; NULL where the denominator is 0 or absent. Both
    are exact numbers, so that it is the same on every machine. -#}
{% macro ratio(numerator, denominator, times=1) -%}
    {{ times }} * cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}

{#- The k-th of n shares of an amount, k from 1: whole ten-thousandths that add up to the
    amount. -#}
{% macro share_of(amount, k, n) -%}
    cast(
        cast(
            (cast({{ amount }} as decimal(38, 4)) * 10000)::hugeint * {{ k }} // {{ n }}
            - (cast({{ amount }} as decimal(38, 4)) * 10000)::hugeint * ({{ k }} - 1) // {{ n }}
            as decimal(18, 0)
        )
        * cast(0.0001 as decimal(5, 4))
        as decimal(18, 4)
    )
{%- endmacro %}

{#- The sum of doubles, added up in order of size, so that it does not hang on the order of rows; an
    aggregate. Seven times faster than an aggregate with an order of its own. -#}
{% macro same_sum(number) -%}
    list_sum(list_sort(list({{ number }})))
{%- endmacro %}
