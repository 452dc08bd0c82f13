-- One row per account, day and metric of the health configuration that scores the account on it:
-- its value and its points, both in whole millionths, NULL where the metric is missing. Owner of
-- which configuration counts. The mean of the children has no value yet: it is computed where
-- components are scored.
with

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
    select * from {{ ref('int_account_day__figures') }}
),

attributes as (
    select * from {{ ref('int_account__attribute_history') }}
),

metrics as (
    select
        configuration,
        configuration_rank,
        is_default,
        component,
        component_position,
        metric,
        cast({{ to_millionths('weight') }} as bigint) as weight_millionths,
        {{ to_millionths('min_value') }} as min_millionths,
        {{ to_millionths('max_value') }} as max_millionths
    from {{ source('run', 'health_metrics') }}
),

{{ measured('health') }}

{{ not_churned() }}

configurations as (
    select
        configuration,
        any_value(configuration_rank) as configuration_rank,
        any_value(is_default) as is_default
    from metrics
    group by configuration
),

-- the best rank whose segment matches; the default matches always
configured as (
    select
        counted_days.account_id,
        counted_days.day,
        arg_min(configurations.configuration, configurations.configuration_rank) as configuration
    from counted_days
    inner join run_settings
        on counted_days.day >= run_settings.health_first_day
    cross join configurations
    left join fulfilled
        on
            counted_days.account_id = fulfilled.account_id
            and counted_days.day = fulfilled.day
            and configurations.configuration = fulfilled.owner
    where configurations.is_default or fulfilled.owner is not null
    group by counted_days.account_id, counted_days.day
)

select
    configured.account_id,
    configured.configuration,
    metrics.component,
    metrics.component_position,
    metrics.metric,
    metrics.weight_millionths,
    measured.millionths as value_millionths,
    {{ scaled('measured.millionths', 'metrics.min_millionths', 'metrics.max_millionths') }}
        as points_millionths,
    configured.day
from configured
inner join metrics
    on configured.configuration = metrics.configuration
left join measured
    on
        configured.account_id = measured.account_id
        and configured.day = measured.day
        and metrics.metric = measured.measure
