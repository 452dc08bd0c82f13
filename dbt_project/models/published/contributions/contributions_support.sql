-- One row per figure of tickets, part of it and record that adds to it: the ticket, or the change
-- of it that was an opening, a close or a reopening. Ages are in seconds, and their figures in
-- days. A median, or a percentile, is made of the one or two tickets that it lies between.
--
-- What several kinds of contributions stand on is pasted into each of them (see the decision
-- "What contributions share is pasted, not a CTE").
{% set tickets -%}
(
    select
        *,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_tickets') }}
) as tickets
{%- endset %}

{% set ticket_months -%}
(
    select * from {{ ref('account_ticket_months') }}
) as ticket_months
{%- endset %}

{% set turns -%}
(
    select
        states.*,
        concat(states.ticket_id, ' ', states.started_at) as change_id,
        months.month
    from {{ ref('account_tickets_monthly') }} as months
    inner join {{ ref('account_ticket_states') }} as states
        on
            months.account_id = states.account_id
            and months.month = {{ month_of('states.started_date') }}
) as turns
{%- endset %}

-- at place (n − 1) · share, counted from 0: in tenths, the place and what it lies beyond it
{% set places = {} -%}
{% for metric, tenths in {'time_to_close_days': 5, 'time_to_close_p90_days': 9}.items() -%}
{% set sql -%}
(
    select
        *,
        age_seconds * cast(
            case place
                when tenths_before // 10 then 10 - tenths_before % 10
                when tenths_before // 10 + 1 then tenths_before % 10
                else 0
            end
            as decimal(2, 0)
        ) * cast(0.1 as decimal(2, 1)) as weighted_seconds
    from (
        select
            *,
            row_number() over (
                partition by account_id, month order by age_seconds, ticket_id
            ) - 1 as place,
            (count(*) over (partition by account_id, month) - 1) * {{ tenths }} as tenths_before
        from {{ ref('account_ticket_months') }}
        where not is_open_at_end
    ) as placed
) as places
{%- endset %}
{% do places.update({metric: sql}) -%}
{% endfor %}

{% set of_ticket = {'source': 'tickets.tickets', 'key': 'ticket_id'} -%}
{% set in_days = '1 / 86400.0' -%}
{{ contribution(
    'ticket_age_days', item='ticket_id', amount='age_seconds', factor=in_days,
    period='last_full_day', **of_ticket
) }}
from {{ tickets }}
union all
{% for metric, condition in {
    'tickets_opened': 'is_creation', 'tickets_closed': 'is_close',
    'tickets_reopened': 'is_reopening',
}.items() -%}
{{ contribution(metric, source='tickets.tickets', key='ticket_id', amount=1, period='month') }}
from {{ turns }}
where {{ condition }} and source_table = 'tickets.tickets'
union all
{{ contribution(
    metric, source='tickets.ticket_changes', key='change_id', amount=1, period='month'
) }}
from {{ turns }}
where {{ condition }} and source_table = 'tickets.ticket_changes'
union all
{% endfor -%}
{% for metric, condition in {
    'tickets_open_at_end': 'is_open_at_end', 'tickets_open_during_month': 'was_open',
}.items() -%}
{{ contribution(metric, amount=1, period='month', **of_ticket) }}
from {{ ticket_months }}
where {{ condition }}
union all
{% endfor -%}
{% for metric, condition in {
    'closed_age_days_mean': 'not is_open_at_end', 'open_age_days_mean': 'is_open_at_end',
    'age_days_mean': 'true',
}.items() -%}
{% for part, amount in {'numerator': 'age_seconds', 'denominator': 1}.items() -%}
{{ contribution(
    metric, part=part, amount=amount, factor=in_days, period='month', **of_ticket
) }}
from {{ ticket_months }}
where {{ condition }}
union all
{% endfor -%}
{% endfor -%}
{% for metric, sql in places.items() -%}
{{ contribution(
    metric, amount='weighted_seconds', factor=in_days, period='month', **of_ticket
) }}
from {{ sql }}
where weighted_seconds != 0
union all
{% endfor -%}
{% for dimension in ['priority', 'type'] -%}
{{ contribution(
    'open_tickets_by_value', item="concat_ws(' / ', '" ~ dimension ~ "', " ~ dimension ~ ')',
    amount=1, period='month', **of_ticket
) }}
from {{ ticket_months }}
where is_open_at_end
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
