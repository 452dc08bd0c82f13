-- One row per account and day of the daily history by which it had a completed touchpoint: the day
-- of the last one.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

spine as (
    select * from {{ ref('int_account_day__spine') }}
),

touchpoint_days as (
    select
        interactions.account_id,
        {{ local_day('interactions.occurred_at', 'run_settings.reporting_time_zone') }} as day
    from {{ ref('stg_canonical__interactions') }} as interactions
    cross join run_settings
    where interactions.is_completed
    group by interactions.account_id, day
),

spans as (
    select
        account_id,
        day as last_touchpoint_on,
        lead(day) over (partition by account_id order by day) as next_touchpoint_on
    from touchpoint_days
),

spans_of_history as (
    select spans.*
    from spans
    cross join run_settings
    where coalesce(spans.next_touchpoint_on > run_settings.figures_first_day, true)
)

select
    spine.account_id,
    {{ days_between('spans_of_history.last_touchpoint_on', 'spine.day') }}
        as days_since_last_touchpoint,
    spans_of_history.last_touchpoint_on,
    spine.day
from spine
inner join spans_of_history
    on
        spine.account_id = spans_of_history.account_id
        and spine.day >= spans_of_history.last_touchpoint_on
        and coalesce(spine.day < spans_of_history.next_touchpoint_on, true)
