-- One row per account and account at or below it in the hierarchy, itself included at depth 0: how
-- far below, and by which way. An account whose parent was deleted, is unknown, or would close a
-- cycle is at the top. Owner of the hierarchy: what is rolled up to an account is what stands in
-- its rows here.
with recursive

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

edges as (
    select
        parents.account_id,
        parents.resolved_parent_account_id as parent_account_id
    from {{ ref('stg_canonical__account_parents') }} as parents
    inner join accounts
        on parents.resolved_parent_account_id = accounts.account_id
),

climbs as (
    select
        account_id,
        account_id as descendant_account_id,
        0 as depth,
        account_id as path
    from accounts
    union all
    select
        edges.parent_account_id as account_id,
        climbs.descendant_account_id,
        climbs.depth + 1 as depth,
        concat(edges.parent_account_id, ' → ', climbs.path) as path
    from climbs
    inner join edges
        on climbs.account_id = edges.account_id
)

select
    climbs.account_id,
    climbs.descendant_account_id,
    climbs.path,
    case when climbs.depth > 0 then accounts.hierarchy_label end as relationship,
    climbs.depth,
    count(*) over (partition by climbs.account_id) - 1 as descendants
from climbs
inner join accounts
    on climbs.descendant_account_id = accounts.account_id
