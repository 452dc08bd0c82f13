-- One row per metric and model or source that it is made of: its owner at depth 1, what the owner
-- selects from at depth 2, and so on. What is reached on several ways has the shortest.
with recursive

metrics as (
    select * from {{ ref('int_metric__catalog') }}
),

edges as (
    select * from {{ source('run', 'model_edges') }}
),

-- `union`, not `union all`: many ways lead to a model, and each depth is needed once
reached as (
    select
        computed_in as owner,
        computed_in as upstream,
        'model' as upstream_kind,
        1 as depth
    from metrics
    union
    select
        reached.owner,
        edges.upstream,
        edges.upstream_kind,
        reached.depth + 1 as depth
    from reached
    inner join edges
        on reached.upstream = edges.model
),

nearest as (
    select
        owner,
        upstream,
        upstream_kind,
        min(depth) as depth
    from reached
    group by owner, upstream, upstream_kind
)

select
    metrics.metric,
    nearest.upstream,
    nearest.upstream_kind,
    nearest.depth
from metrics
inner join nearest
    on metrics.computed_in = nearest.owner
