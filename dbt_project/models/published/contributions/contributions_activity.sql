-- One row per figure of activity and of the use of modules and features, part of it and what adds
-- to it. Figures of events end here with the day of a user; what happened on it stands in the
-- events. A user counts once in a window, with the last day of activity in it. The rank of a user
-- is made of all others who are ranked: it is looked at for one user, not for all.
--
-- What several kinds of contributions stand on is pasted into each of them (see the decision
-- "What contributions share is pasted, not a CTE").
{% set user_days -%}
(
    select
        *,
        concat(user_id, ' ', day) as user_day_id
    from {{ ref('user_activity_daily') }}
) as user_days
{%- endset %}

{% set active_days -%}
(
    select
        *,
        lead(day) over (partition by account_id, user_id order by day) as next_day
    from {{ user_days }}
    where event_count > 0
) as active_days
{%- endset %}

{% set days -%}
(
    select
        account_id,
        day as counted_day
    from {{ ref('account_activity_daily') }}
) as days
{%- endset %}

{% set windows = {'dau': 1, 'wau': 7, 'mau': 30} -%}
{% set active_in_window = {} -%}
{% for figure, length in windows.items() -%}
{% set sql -%}
(
    select
        active_days.*,
        days.counted_day
    from {{ days }}
    inner join {{ active_days }}
        on
            days.account_id = active_days.account_id
            and days.counted_day >= active_days.day
            and days.counted_day < {{ add_days('active_days.day', length) }}
            and coalesce(days.counted_day < active_days.next_day, true)
) as active_in_window
{%- endset %}
{% do active_in_window.update({figure: sql}) -%}
{% endfor %}

{% set users -%}
(
    select *
    from {{ ref('account_users') }}
    where first_known_date is not null
) as users
{%- endset %}

{% set product_users -%}
(
    select
        users.*,
        days.counted_day
    from {{ days }}
    inner join {{ users }}
        on
            days.account_id = users.account_id
            and days.counted_day >= users.first_known_date
            and coalesce(days.counted_day < users.deactivated_date, true)
) as product_users
{%- endset %}

{% set session_time -%}
(
    select
        account_id,
        user_id,
        sum(session_seconds) as session_seconds
    from {{ ref('user_activity_daily') }}
    where day > {{ add_days(last_full_day_of(), -30) }}
    group by account_id, user_id
) as session_time
{%- endset %}

{% set ranked_users -%}
(
    select
        users.account_id,
        users.user_id,
        users.as_of_date,
        session_time.session_seconds,
        {{ last_full_day_of('users') }} as last_full_day
    from {{ ref('account_users') }} as users
    inner join {{ session_time }}
        on
            users.account_id = session_time.account_id
            and users.user_id = session_time.user_id
    where users.activity_rank is not null
) as ranked_users
{%- endset %}

{% set other_users -%}
(
    select
        ranked_users.*,
        concat(others.account_id, ' ', others.user_id) as other_id,
        others.account_id = ranked_users.account_id as is_of_account,
        others.session_seconds < ranked_users.session_seconds as is_below
    from {{ ranked_users }}
    inner join {{ ranked_users | replace('as ranked_users', 'as others') }}
        on (
            ranked_users.account_id != others.account_id
            or ranked_users.user_id != others.user_id
        )
) as other_users
{%- endset %}

{% set keys = {
    'module': ['product', 'module'], 'feature': ['product', 'module', 'feature'],
} -%}
{% set amounts = {'module': 'total_seconds', 'feature': 'total_count'} -%}
{% set usage_days = {} -%}
{% for kind, columns in keys.items() -%}
{% set sql -%}
(
    select
        *,
        concat_ws(' / ', {{ columns | join(', ') }}) as used,
        concat_ws(' ', user_id, {{ columns | join(', ') }}, day) as used_id,
        count(*) over (partition by account_id, {{ columns | join(', ') }}, day) as users_of_day,
        row_number() over (
            partition by account_id, {{ columns | join(', ') }}, day order by user_id
        ) as user_number,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('user_' ~ kind ~ '_usage_daily') }}
) as usage_days
{%- endset %}
{% do usage_days.update({kind: sql}) -%}
{% endfor %}

{% set of_user_day = {
    'source': 'user_activity_daily', 'key': 'user_day_id', 'located': false,
} -%}
{% for figure in windows -%}
{{ contribution(figure, amount=1, period='counted_day', **of_user_day) }}
from {{ active_in_window[figure] }}
union all
{% endfor -%}
{{ contribution(
    'session_seconds', item='user_id', amount='session_seconds', period='day', **of_user_day
) }}
from {{ user_days }}
union all
{{ contribution(
    'seconds_per_active_user', part='numerator', amount='session_seconds', period='day',
    **of_user_day
) }}
from {{ user_days }}
where session_seconds > 0
union all
{{ contribution(
    'seconds_per_active_user', part='denominator', amount=1, period='day', **of_user_day
) }}
from {{ user_days }}
where event_count > 0
union all
{{ contribution(
    'product_users', source='crm.users', key='user_id', amount=1, period='counted_day'
) }}
from {{ product_users }}
where location is not null
union all
{{ contribution(
    'product_users', source='account_users', key='user_id', amount=1, period='counted_day'
) }}
from {{ product_users }}
where location is null
union all
{% for metric, condition in {
    'activity_rank': 'true', 'activity_rank_in_account': 'is_of_account',
}.items() -%}
{{ contribution(
    metric, part='numerator', source='account_users', key='other_id', item='user_id', amount=1,
    factor=100, period='last_full_day', located=false
) }}
from {{ other_users }}
where {{ condition }} and is_below
union all
{{ contribution(
    metric, part='denominator', source='account_users', key='other_id', item='user_id', amount=1,
    factor=100, period='last_full_day', located=false
) }}
from {{ other_users }}
where {{ condition }}
union all
{% endfor -%}
{% for kind, amount in amounts.items() -%}
{% set of_usage = {
    'source': 'user_' ~ kind ~ '_usage_daily', 'key': 'used_id', 'item': 'used',
    'period': 'last_full_day', 'located': false,
} -%}
{{ contribution(kind ~ '_' ~ amount, amount=amount, **of_usage) }}
from {{ usage_days[kind] }}
union all
{% set metric = 'per_user_per_day_used' if kind == 'module' else 'count_per_user_per_day_used' -%}
{{ contribution(
    metric, part='numerator', amount='cast(' ~ amount ~ ' as double) / users_of_day', **of_usage
) }}
from {{ usage_days[kind] }}
union all
{{ contribution(metric, part='denominator', amount=1, **of_usage) }}
from {{ usage_days[kind] }}
where user_number = 1
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
