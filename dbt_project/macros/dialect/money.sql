{#-
    amount · numerator / denominator, rounded half up (away from zero on a tie) to four decimals,
    without a float on the way: the amount becomes a whole number of ten-thousandths, and the
    division is one of whole numbers. numerator and denominator are positive whole numbers. Overflow
    is an error, not a wrap.
-#}
{% macro times_ratio(amount, numerator, denominator) -%}
    cast(
        sign({{ amount }})
        * cast(
            (
                2 * cast(cast(abs({{ amount }}) as decimal(38, 4)) * 10000 as hugeint)
                * {{ numerator }}
                + {{ denominator }}
            ) // (2 * {{ denominator }})
            as decimal(18, 0)
        )
        * cast(0.0001 as decimal(5, 4))
        as decimal(18, 4)
    )
{%- endmacro %}

{#- An exchange rate of `to_rate` as a ratio of whole numbers in lowest terms, so that products of
    rates stay small: a list of numerator and denominator. -#}
{% macro rate_as_ratio(rate) -%}
    {%- set millionths = "cast(replace(cast(" ~ rate ~ " as varchar), '.', '') as hugeint)" -%}
    {%- set one = "cast(1000000000000 as hugeint)" -%}
    [
        {{ millionths }} // gcd({{ millionths }}, {{ one }}),
        {{ one }} // gcd({{ millionths }}, {{ one }})
    ]
{%- endmacro %}
