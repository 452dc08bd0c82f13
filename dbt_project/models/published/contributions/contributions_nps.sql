-- One row per figure of NPS, part of it and response that adds to it: as of the last full day those
-- in the account's window, on an earlier day those in the window that ended with the latest
-- response up to then.
--
-- What several kinds of contributions stand on is pasted into each of them (see the decision
-- "What contributions share is pasted, not a CTE").
{% set responses -%}
(
    select
        *,
        coalesce(response_id, concat(location, ' ', line)) as response_key,
        case when score >= 9 then 1 when score <= 6 then -1 else 0 end as net_score,
        {{ last_full_day_of() }} as last_full_day
    from {{ ref('account_nps_responses') }}
) as responses
{%- endset %}

{% set responses_now -%}
(
    select *
    from {{ responses }}
    where is_in_window
) as responses_now
{%- endset %}

-- who does not say who they are is somebody else each time
{% set latest_of_users -%}
(
    select *
    from {{ responses }}
    where is_in_window
    qualify
        row_number() over (
            partition by
                account_id,
                coalesce({{ to_email('user_email') }}, concat(location, ' ', line, ' ', file_version))
            order by submitted_at desc, location desc, line desc, file_version desc
        ) = 1
) as latest_of_users
{%- endset %}

{% set responses_by_day -%}
(
    select
        responses.*,
        days.day,
        {{ microseconds_between('scores.window_from_at', 'scores.latest_at') }} as window_length,
        max(responses.submitted_at) over (partition by days.account_id, days.day) as latest_at
    from {{ ref('account_metrics_daily') }} as days
    inner join {{ ref('account_nps') }} as scores
        on days.account_id = scores.account_id
    inner join {{ responses }}
        on
            days.account_id = responses.account_id
            and days.day >= responses.submitted_date
    where days.metric = 'nps_current' and days.day < {{ last_full_day_of('days') }}
) as responses_by_day
{%- endset %}

{% set in_window_of_day -%}
(
    select *
    from {{ responses_by_day }}
    where submitted_at >= {{ subtract_microseconds('latest_at', 'window_length') }}
) as in_window_of_day
{%- endset %}

{% set of_response = {'source': 'crm.nps_responses', 'key': 'response_key'} -%}
{% set scores = {'nps_current': 'score', 'nps_net': 'net_score'} -%}
{% set factors = {'nps_current': 1, 'nps_net': 100} -%}
{% for part in ['numerator', 'denominator'] -%}
{% for metric, score in scores.items() -%}
{{ contribution(
    metric, part=part, amount=score if part == 'numerator' else 1, factor=factors[metric],
    period='last_full_day', **of_response
) }}
from {{ responses_now }}
union all
{{ contribution(
    metric, part=part, amount=score if part == 'numerator' else 1, factor=factors[metric],
    period='day', **of_response
) }}
from {{ in_window_of_day }}
union all
{% endfor -%}
{{ contribution(
    'nps_latest_per_user', part=part, amount='score' if part == 'numerator' else 1,
    period='last_full_day', **of_response
) }}
from {{ latest_of_users }}
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
