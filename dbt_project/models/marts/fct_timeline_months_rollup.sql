-- One row per account, month and source with items on the timeline of the account or of one of its
-- descendants: how many on all of them.
select
    families.account_id,
    families.descendants,
    months.source,
    sum(months.items) as items,
    months.month
from {{ ref('int_account_descendant__path') }} as families
inner join {{ ref('fct_timeline_months') }} as months
    on families.descendant_account_id = months.account_id
group by families.account_id, families.descendants, months.source, months.month
