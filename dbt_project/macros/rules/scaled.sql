{#- The points, in whole millionths, of a value on the straight line from 0 at `minimum` to 100 at
    `maximum`, clamped at both ends; `minimum` may be the larger one. -#}
{% macro scaled(value, minimum, maximum) -%}
    {%- set clamped -%}
        least(
            greatest({{ value }}, least({{ minimum }}, {{ maximum }})),
            greatest({{ minimum }}, {{ maximum }})
        )
    {%- endset -%}
    case
        when {{ value }} is not null
            then {{ divide_half_up(
                '(100000000 * (' ~ clamped ~ ' - ' ~ minimum ~ '))',
                '(' ~ maximum ~ ' - ' ~ minimum ~ ')',
            ) }}
    end
{%- endmacro %}
