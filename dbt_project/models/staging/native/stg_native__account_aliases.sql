-- Merges of accounts: as declared, and refused where they run in a loop or point to no account.
with

aliases as (
    select * from {{ ref('base_native__account_aliases') }}
),

resolution as (
    select * from {{ ref('stg_native__account_resolution') }}
),

followed as (
    select
        aliases.*,
        case
            when aliases.record_status = 'current' and not aliases.is_dated_after
                then resolution.alias_reason
        end as alias_reason
    from aliases
    left join resolution
        on aliases.old_account_id = resolution.source_account_id
)

select
    * replace (
        case when alias_reason is not null then 'rejected' else record_status end as record_status,
        coalesce(alias_reason, reason) as reason,
        case
            when alias_reason is not null
                then to_json({'old_account_id': old_account_id, 'account_id': account_id})::varchar
            else record
        end as record
    )
from followed
