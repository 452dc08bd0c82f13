-- One row per account id that a record may carry: the account it counts under, or why it counts
-- under none. Aliases are followed to their end. An alias in a loop, or one whose chain ends at no
-- account, is in no effect; a record that only such an alias could attribute is refused with that
-- reason.
with recursive

accounts as (
    select account_id
    from {{ ref('base_native__accounts') }}
    where record_status = 'current' and not is_dated_after
),

aliases as (
    select
        old_account_id,
        account_id
    from {{ ref('base_native__account_aliases') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

-- each alias followed step by step, until there is no further one or an id comes round again
steps as (
    select
        old_account_id,
        account_id,
        [old_account_id] as visited
    from aliases
    union all
    select
        steps.old_account_id,
        aliases.account_id,
        list_append(steps.visited, steps.account_id) as visited
    from steps
    inner join aliases
        on steps.account_id = aliases.old_account_id
    where not list_contains(steps.visited, steps.account_id)
),

ends as (
    select
        steps.old_account_id,
        steps.account_id,
        steps.visited,
        list_contains(steps.visited, steps.account_id) as comes_round
    from steps
    left join aliases
        on steps.account_id = aliases.old_account_id
    where aliases.old_account_id is null or list_contains(steps.visited, steps.account_id)
),

judged as (
    select
        ends.old_account_id,
        ends.account_id,
        case
            when ends.comes_round
                then
                    concat(
                        'alias of ', ends.old_account_id, ' runs in a loop: ',
                        array_to_string(list_append(ends.visited, ends.account_id), ' → ')
                    )
            when accounts.account_id is null
                then
                    concat(
                        'alias of ', ends.old_account_id,
                        ' points to unknown account ', ends.account_id
                    )
        end as reason
    from ends
    left join accounts
        on ends.account_id = accounts.account_id
)

select
    coalesce(judged.old_account_id, accounts.account_id) as source_account_id,
    case
        when judged.reason is null then coalesce(judged.account_id, accounts.account_id)
        else accounts.account_id
    end as account_id,
    case when accounts.account_id is null then judged.reason end as reason,
    judged.reason as alias_reason,
    judged.old_account_id is not null and judged.reason is null as is_merged
from accounts
full join judged
    on accounts.account_id = judged.old_account_id
