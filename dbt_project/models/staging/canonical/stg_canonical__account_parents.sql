-- One row per account that names a parent: the edge of the hierarchy, and whether it holds. Parents
-- are followed upwards; a chain that comes back to where it began is a cycle. It is broken at the
-- edge that closed it, the one of the account version that came last, and its reason names every
-- member.
with recursive

run_settings as (
    select * from {{ ref('run_settings') }}
),

edges as (
    select
        account_id,
        parent_account_id,
        resolved_parent_account_id,
        version_at,
        location,
        line,
        file_version
    from {{ ref('stg_native__accounts') }}
    where
        record_status = 'current'
        and not is_dated_after
        and parent_account_id is not null
),

climbs as (
    select
        account_id,
        resolved_parent_account_id as ancestor_id,
        [account_id] as visited
    from edges
    where resolved_parent_account_id is not null
    union all
    select
        climbs.account_id,
        edges.resolved_parent_account_id as ancestor_id,
        list_append(climbs.visited, climbs.ancestor_id) as visited
    from climbs
    inner join edges
        on climbs.ancestor_id = edges.account_id
    where
        not list_contains(climbs.visited, climbs.ancestor_id)
        and edges.resolved_parent_account_id is not null
),

-- each member of a cycle finds the cycle once, from its own place in it
cycles as (
    select
        account_id,
        visited,
        list_min(visited) as cycle_id
    from climbs
    where ancestor_id = account_id
),

closing_edges as (
    select
        cycles.account_id,
        cycles.visited
    from cycles
    inner join edges
        on cycles.account_id = edges.account_id
    qualify
        row_number() over (
            partition by cycles.cycle_id
            order by edges.version_at desc nulls last, edges.account_id desc
        ) = 1
)

select
    edges.account_id,
    edges.parent_account_id,
    case when closing_edges.account_id is null then edges.resolved_parent_account_id end
        as resolved_parent_account_id,
    case
        when closing_edges.account_id is not null then 'rejected'
        when edges.resolved_parent_account_id is null then 'unattributed'
        else 'current'
    end as record_status,
    case
        when closing_edges.account_id is not null
            then
                concat(
                    'hierarchy cycle: ',
                    array_to_string(list_append(closing_edges.visited, edges.account_id), ' → ')
                )
        when edges.resolved_parent_account_id is null
            then concat('unknown parent account ', edges.parent_account_id)
    end as reason,
    edges.location,
    edges.line,
    edges.file_version
from edges
left join closing_edges
    on edges.account_id = closing_edges.account_id
