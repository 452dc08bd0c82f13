-- The e-mail that a CSM goes by now, for each one that was replaced. Aliases are followed to their
-- end; one that runs in a loop is in no effect.
with recursive

aliases as (
    select
        old_email,
        email
    from {{ ref('stg_native__csm_aliases') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

steps as (
    select
        old_email,
        email,
        [old_email] as visited
    from aliases
    union all
    select
        steps.old_email,
        aliases.email,
        list_append(steps.visited, steps.email) as visited
    from steps
    inner join aliases
        on steps.email = aliases.old_email
    where not list_contains(steps.visited, steps.email)
)

select
    steps.old_email,
    steps.email
from steps
left join aliases
    on steps.email = aliases.old_email
where aliases.old_email is null
