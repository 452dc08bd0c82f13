-- One row per account, day and component of its health configuration, on days with a score: the
-- mean of its metrics, and how much it gives to the score. Owner of component scores. All in whole
-- numbers, so that half up is half up.
with

metrics as (
    select * from {{ ref('int_account_day__health_metrics') }}
),

attributes as (
    select * from {{ ref('int_account__attribute_history') }}
),

children_scales as (
    select
        configuration,
        component,
        {{ to_millionths('min_value') }} as min_millionths,
        {{ to_millionths('max_value') }} as max_millionths
    from {{ source('run', 'health_metrics') }}
    where metric = 'children_mean'
),

-- accounts and days that a metric asks for the mean of their children on
asking as (
    select
        account_id,
        day
    from metrics
    where metric = 'children_mean'
    group by account_id, day
),

children as (
    select
        asking.account_id,
        asking.day,
        parents.account_id as child_account_id
    from asking
    inner join attributes as parents
        on
            asking.account_id = parents.text_value
            and parents.attribute = 'parent_account_id'
            and parents.account_id != asking.account_id
            and asking.day >= parents.valid_from
            and coalesce(asking.day < parents.valid_to, true)
),

-- a child counts with the score of its own metrics: its children are not looked at, so that no
-- account hangs on itself and every score is one step from figures
own_components as (
    select
        metrics.account_id,
        metrics.day,
        metrics.weight_millionths,
        {{ divide_half_up(
            'sum(metrics.points_millionths)', '(1000000 * count(metrics.points_millionths))'
        ) }} as score
    from metrics
    inner join children
        on
            metrics.account_id = children.child_account_id
            and metrics.day = children.day
    group by metrics.account_id, metrics.day, metrics.component, metrics.weight_millionths
),

own_scores as (
    select
        account_id,
        day,
        {{ divide_half_up('sum(weight_millionths * score)', 'sum(weight_millionths)') }} as score
    from own_components
    where score is not null
    group by account_id, day
),

children_means as (
    select
        children.account_id,
        children.day,
        {{ divide_half_up('1000000 * sum(own_scores.score)', 'count(*)') }} as value_millionths
    from children
    inner join own_scores
        on
            children.child_account_id = own_scores.account_id
            and children.day = own_scores.day
    group by children.account_id, children.day
),

all_metrics as (
    select
        metrics.account_id,
        metrics.day,
        metrics.configuration,
        metrics.component,
        metrics.component_position,
        metrics.metric,
        metrics.weight_millionths,
        case
            when metrics.metric != 'children_mean' then metrics.points_millionths
            else {{ scaled(
                'children_means.value_millionths',
                'children_scales.min_millionths',
                'children_scales.max_millionths',
            ) }}
        end as points_millionths
    from metrics
    left join children_scales
        on
            metrics.configuration = children_scales.configuration
            and metrics.component = children_scales.component
            and metrics.metric = 'children_mean'
    left join children_means
        on
            metrics.account_id = children_means.account_id
            and metrics.day = children_means.day
),

scored as (
    select
        account_id,
        configuration,
        component,
        component_position,
        weight_millionths,
        {{ divide_half_up('sum(points_millionths)', '(1000000 * count(points_millionths))') }}
            as score,
        list(metric) filter (where points_millionths is null) as missing_metrics,
        day
    from all_metrics
    group by
        account_id, day, configuration, component, component_position, weight_millionths
),

-- what the components up to this one give, and the weight of all that have a score
summed as (
    select
        *,
        sum(weight_millionths * score) over (
            partition by account_id, day
            order by component_position
            rows unbounded preceding
        ) as weighted_up_to_here,
        sum(case when score is not null then weight_millionths end) over (
            partition by account_id, day
        ) as weight_of_all
    from scored
),

-- each is cut off, not rounded, so that the sum of all lies on the same side of every half
given as (
    select
        *,
        coalesce(1000000 * weighted_up_to_here // weight_of_all, 0) as given_up_to_here
    from summed
    where weight_of_all is not null
)

select
    account_id,
    configuration,
    component,
    component_position,
    weight_millionths,
    cast(score as integer) as score,
    case
        when score is not null
            then
                given_up_to_here
                - coalesce(
                    lag(given_up_to_here) over (
                        partition by account_id, day order by component_position
                    ),
                    0
                )
    end as contribution_millionths,
    missing_metrics,
    day
from given
