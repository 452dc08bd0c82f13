{#- The points, in whole millionths and half up, of a value on the straight line from 0 at `minimum`
    to 100 at `maximum`, clamped at both ends; `minimum` may be the larger one. -#}
{% macro scaled(value, minimum, maximum) -%}
    {%- set span = 'abs(' ~ maximum ~ ' - ' ~ minimum ~ ')' -%}
    case
        when {{ value }} is not null
            then cast(
                (
                    200000000 * least(
                        greatest(
                            ({{ value }} - {{ minimum }}) * sign({{ maximum }} - {{ minimum }}), 0
                        ),
                        {{ span }}
                    )
                    + {{ span }}
                )
                // (2 * {{ span }})
                as integer
            )
    end
{%- endmacro %}
