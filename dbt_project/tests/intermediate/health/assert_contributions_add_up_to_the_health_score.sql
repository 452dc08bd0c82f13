-- A failing row is an account and day whose components do not add up to its health score.
with

components as (
    select
        account_id,
        day,
        sum(contribution_millionths) as millionths
    from {{ ref('int_account_day__health_components') }}
    group by account_id, day
)

select
    health.*,
    components.millionths
from {{ ref('int_account_day__health') }} as health
full join components
    on
        health.account_id = components.account_id
        and health.day = components.day
where
    {{ to_millionths('health.health_points') }} is distinct from components.millionths
    or floor(health.health_points + 0.5) != health.health_score
