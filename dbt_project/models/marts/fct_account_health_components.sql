-- One row per account, day and component, on the days of the published history with a health score.
select
    components.account_id,
    components.configuration,
    components.component,
    {{ millionths_to_decimal('components.weight_millionths') }} as weight,
    components.score,
    {{ millionths_to_decimal('components.contribution_millionths') }} as contribution,
    components.day
from {{ ref('int_account_day__health_components') }} as components
inner join {{ ref('run_settings') }} as run_settings
    on components.day >= run_settings.history_first_day
