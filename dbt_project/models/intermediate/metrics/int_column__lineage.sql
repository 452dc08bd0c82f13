-- One row per published column and column that it is made of: those of the tables that its own
-- selects from at depth 1, theirs at depth 2, and so on down to what was landed or set for the run.
-- What is reached on several ways has the shortest.
with recursive

edges as (
    select * from {{ source('run', 'column_edges') }}
),

-- `union`, not `union all`: many ways lead to a column, and each depth is needed once
reached as (
    select
        table_name,
        column_name,
        upstream_table,
        upstream_column,
        upstream_kind,
        1 as depth
    from edges
    where is_published
    union
    select
        reached.table_name,
        reached.column_name,
        edges.upstream_table,
        edges.upstream_column,
        edges.upstream_kind,
        reached.depth + 1 as depth
    from reached
    inner join edges
        on
            reached.upstream_table = edges.table_name
            and reached.upstream_column = edges.column_name
)

select
    table_name,
    column_name,
    upstream_table,
    upstream_column,
    upstream_kind,
    min(depth) as depth
from reached
group by table_name, column_name, upstream_table, upstream_column, upstream_kind
