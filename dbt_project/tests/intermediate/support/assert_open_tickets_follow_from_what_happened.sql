-- A failing row is an account and month in which tickets open at the start, plus opened, minus
-- closed, plus reopened are not the tickets open at the end; or which does not start with what was
-- open at the end of the month before; or where priorities or types do not add up to them.
{% set dimensions = ['priority', 'type'] -%}
with

months as (
    select
        *,
        lag(open_at_end) over (partition by account_id order by month) as previous_open_at_end,
        lag(month) over (partition by account_id order by month) as previous_month
    from {{ ref('int_account_month__tickets') }}
),

by_value as (
    select
        account_id,
        month,
        {% for dimension in dimensions -%}
        sum(open_at_end) filter (where dimension = '{{ dimension }}') as open_by_{{ dimension }},
        sum(open_during_month) filter (where dimension = '{{ dimension }}')
            as open_during_by_{{ dimension }},
        {% endfor -%}
        count(*) as row_count
    from {{ ref('int_account_month_value__open_tickets') }}
    group by account_id, month
)

select
    {% for dimension in dimensions -%}
    by_value.open_by_{{ dimension }},
    by_value.open_during_by_{{ dimension }},
    {% endfor -%}
    months.*
from months
left join by_value
    on
        months.account_id = by_value.account_id
        and months.month = by_value.month
where
    months.open_at_start + months.opened - months.closed + months.reopened != months.open_at_end
    or months.open_at_start != months.previous_open_at_end
    or months.month != {{ add_months('months.previous_month', 1) }}
    {%- for dimension in dimensions %}
    or months.open_at_end != coalesce(by_value.open_by_{{ dimension }}, 0)
    or months.open_during_month != coalesce(by_value.open_during_by_{{ dimension }}, 0)
    {%- endfor %}
