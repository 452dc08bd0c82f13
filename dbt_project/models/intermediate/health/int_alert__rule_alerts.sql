-- One row per alert of an alert rule. Owner of when a rule triggers and when its alerts close.
-- Every day since the rule's active_from is looked at, in order, each night anew: the alerts are a
-- function of the daily history, and what was triggered up to a day does not hang on the night
-- that asks.
with recursive

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

days as (
    select * from {{ ref('int_account_day__spine') }}
),

figures as (
    select
        account_id,
        figure,
        value,
        day
    from {{ ref('int_account_day__figures') }}
    union all
    select
        account_id,
        'health_score' as figure,
        cast(health_score as double) as value,
        day
    from {{ ref('int_account_day__health') }}
),

attributes as (
    select * from {{ ref('int_account__attribute_history') }}
),

-- closed without a date, and without one of the record: closed when it was triggered
alerts as (
    select
        alert_id,
        status,
        closed_by,
        outcome,
        case when not is_open then coalesce(closed_at, triggered_at) end as closed_at
    from {{ ref('stg_canonical__alerts') }}
    where alert_id like 'rule:%'
),

rules as (
    select * from {{ source('run', 'alert_rules') }}
),

{{ measured('alert_rule') }}

{{ not_churned() }}

-- a run: days in a row on which all conditions of a rule hold
holding_days as (
    select
        fulfilled.account_id,
        fulfilled.owner as rule,
        fulfilled.day,
        row_number() over (
            partition by fulfilled.account_id, fulfilled.owner order by fulfilled.day
        ) as day_number
    from fulfilled
    inner join counted_days
        on
            fulfilled.account_id = counted_days.account_id
            and fulfilled.day = counted_days.day
    inner join rules
        on
            fulfilled.owner = rules.rule
            and fulfilled.day >= rules.active_from
),

runs as (
    select
        account_id,
        rule,
        min(day) as first_day,
        {{ add_days('max(day)', 1) }} as ended_on
    from holding_days
    group by account_id, rule, {{ add_days('day', '-day_number') }}
),

-- what the CRM says of alerts of ours
answers as (
    select
        alerts.*,
        {{ local_day('alerts.closed_at', 'run_settings.reporting_time_zone') }} as closed_on
    from alerts
    cross join run_settings
),

first_triggers as (
    select
        account_id,
        rule,
        min(first_day) as triggered_on
    from runs
    group by account_id, rule
),

-- one step is one alert of each rule and account; the next comes on the first day from which on it
-- may, and on which the conditions hold
triggers as (
    select
        account_id,
        rule,
        triggered_on
    from first_triggers
    union all
    select
        following.account_id,
        following.rule,
        min(greatest(following.first_day, following.may_trigger_from)) as triggered_on
    from (
        select
            runs.account_id,
            runs.rule,
            runs.first_day,
            runs.ended_on,
            greatest(
                {{ add_days('triggers.triggered_on', 'rules.retrigger_days') }},
                least(current_runs.ended_on, answers.closed_on)
            ) as may_trigger_from
        from triggers
        inner join rules
            on triggers.rule = rules.rule
        inner join runs as current_runs
            on
                triggers.account_id = current_runs.account_id
                and triggers.rule = current_runs.rule
                and triggers.triggered_on >= current_runs.first_day
                and triggers.triggered_on < current_runs.ended_on
        left join answers
            on {{ rule_alert_id('triggers') }} = answers.alert_id
        inner join runs
            on
                triggers.account_id = runs.account_id
                and triggers.rule = runs.rule
    ) as following
    where following.may_trigger_from < following.ended_on
    group by following.account_id, following.rule
),

ended as (
    select
        triggers.account_id,
        {{ rule_alert_id('triggers') }} as alert_id,
        triggers.rule,
        triggers.triggered_on,
        case when runs.ended_on < run_settings.as_of_date then runs.ended_on end as ended_on
    from triggers
    inner join runs
        on
            triggers.account_id = runs.account_id
            and triggers.rule = runs.rule
            and triggers.triggered_on >= runs.first_day
            and triggers.triggered_on < runs.ended_on
    cross join run_settings
),

-- the first closing counts, on the same day the CRM's; what was found out is told by the CRM only
answered as (
    select
        ended.*,
        answers.status,
        answers.outcome,
        answers.closed_by,
        answers.closed_at,
        answers.closed_on,
        coalesce(ended.ended_on < answers.closed_on, ended.ended_on is not null)
            as is_closed_by_rule
    from ended
    left join answers
        on ended.alert_id = answers.alert_id
),

closed as (
    select
        answered.account_id,
        answered.alert_id,
        answered.rule,
        case
            when answered.is_closed_by_rule then 'closed'
            else coalesce(answered.status, 'open')
        end as status,
        case when answered.is_closed_by_rule then 'rule' else answered.closed_by end as closed_by,
        answered.outcome,
        answered.closed_on is null and not answered.is_closed_by_rule as is_open,
        {{ start_of_day('answered.triggered_on', 'run_settings.reporting_time_zone') }}
            as triggered_at,
        case
            when answered.is_closed_by_rule
                then {{ start_of_day('answered.ended_on', 'run_settings.reporting_time_zone') }}
            else answered.closed_at
        end as closed_at
    from answered
    cross join run_settings
)

select
    closed.account_id,
    closed.alert_id,
    'rule' as origin,
    closed.rule,
    rules.type,
    rules.title as name,
    closed.status,
    rules.assignee,
    closed.closed_by,
    closed.outcome,
    closed.is_open,
    closed.triggered_at,
    closed.closed_at
from closed
inner join rules
    on closed.rule = rules.rule
