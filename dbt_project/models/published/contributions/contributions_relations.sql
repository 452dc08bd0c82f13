-- One row per figure of tasks, alerts, deals, touchpoints, the timeline and the hierarchy, and
-- record that it is made of.
--
-- What several kinds of contributions stand on is pasted into each of them (see the decision
-- "What contributions share is pasted, not a CTE").
{% set tasks -%}
(
    select
        *,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_tasks') }}
) as tasks
{%- endset %}

{% set alerts -%}
(
    select
        *,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_alerts') }}
) as alerts
{%- endset %}

{% set deals -%}
(
    select
        *,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_deals') }}
) as deals
{%- endset %}

{% set last_touchpoints -%}
(
    select
        *,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_touchpoints') }}
    where is_completed
    qualify
        row_number() over (
            partition by account_id order by occurred_at desc, interaction_id desc
        ) = 1
) as last_touchpoints
{%- endset %}

{% set items -%}
(
    select
        *,
        {{ month_of('occurred_date') }} as month
    from {{ ref('account_timeline') }}
) as items
{%- endset %}

{% set descendants -%}
(
    select
        months.account_id,
        months.month,
        months.as_of_date,
        accounts.account_id as descendant_account_id,
        accounts.location,
        accounts.line
    from {{ ref('account_mrr_monthly_rollup') }} as months
    inner join {{ ref('account_hierarchy') }} as families
        on
            months.account_id = families.account_id
            and families.depth > 0
    inner join {{ ref('account_360') }} as accounts
        on families.descendant_account_id = accounts.account_id
) as descendants
{%- endset %}

{% set moves_below -%}
(
    select
        families.account_id,
        months.month,
        months.as_of_date,
        concat(months.account_id, ' ', months.month) as account_month
    from {{ ref('account_hierarchy') }} as families
    inner join {{ ref('account_mrr_monthly') }} as months
        on families.descendant_account_id = months.account_id
    where months.movement != 'none'
) as moves_below
{%- endset %}

{{ contribution(
    'task_age_days', source='crm.tasks', key='task_id', item='task_id', amount='age_days',
    period='last_full_day'
) }}
from {{ tasks }}
union all
{{ contribution(
    'task_is_overdue', source='crm.tasks', key='task_id', item='task_id', amount='null',
    period='last_full_day'
) }}
from {{ tasks }}
union all
{{ contribution(
    'open_tasks', source='crm.tasks', key='task_id', amount=1, period='last_full_day'
) }}
from {{ tasks }}
where is_open
union all
{% for origin, source in {'source': 'crm.alerts', 'rule': 'account_alerts'}.items() -%}
{{ contribution(
    'alert_age_days', source=source, key='alert_id', item='alert_id', amount='age_days',
    period='last_full_day'
) }}
from {{ alerts }}
where origin = '{{ origin }}'
union all
{{ contribution(
    'open_alerts', source=source, key='alert_id', amount=1, period='last_full_day'
) }}
from {{ alerts }}
where origin = '{{ origin }}' and is_open
union all
{% endfor -%}
{{ contribution(
    'deal_amount', source='crm.deals', key='deal_id', item='deal_id', amount='amount',
    reporting='amount_reporting', period='last_full_day'
) }}
from {{ deals }}
union all
{{ contribution(
    'last_touchpoint_at', source='crm.interactions', key='interaction_id', amount='null',
    period='last_full_day'
) }}
from {{ last_touchpoints }}
union all
{% for source, landed in {
    'email': 'crm.interactions', 'touchpoint': 'crm.interactions', 'support': 'tickets.tickets',
    'note': 'crm.notes',
}.items() -%}
{{ contribution(
    'timeline_items', source=landed, key='source_id', item='source', amount=1, period='month'
) }}
from {{ items }}
where source = '{{ source }}'
union all
{% endfor -%}
{{ contribution(
    'descendants', source='crm.accounts', key='descendant_account_id', amount=1, period='month'
) }}
from {{ descendants }}
union all
{{ contribution(
    'movement_rollup', source='account_mrr_monthly', key='account_month', amount='null',
    period='month', located=false
) }}
from {{ moves_below }}
