with

run_settings as (
    select * from {{ ref('run_settings') }}
),

families as (
    select * from {{ ref('int_account_descendant__path') }}
)

select
    families.account_id,
    families.descendant_account_id,
    families.path,
    families.relationship,
    families.depth,
    run_settings.as_of_date
from families
cross join run_settings
