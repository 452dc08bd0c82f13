-- Accounts after merges: the record of an account that was merged into another is superseded.
with

accounts as (
    select * from {{ ref('base_native__accounts') }}
),

resolution as (
    select * from {{ ref('stg_native__account_resolution') }}
)

select
    accounts.* replace (
        case
            when resolution.is_merged and accounts.record_status = 'current' then 'superseded'
            else accounts.record_status
        end as record_status
    ),
    parents.account_id as resolved_parent_account_id
from accounts
left join resolution
    on accounts.account_id = resolution.source_account_id
left join resolution as parents
    on accounts.parent_account_id = parents.source_account_id
