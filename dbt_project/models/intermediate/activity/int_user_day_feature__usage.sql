-- One row per account, user, local day and feature used on it: how often.
select
    account_id,
    user_id,
    coalesce(product, '(none)') as product,
    coalesce(module, '(none)') as module,
    coalesce(feature, '(none)') as feature,
    cast(sum(coalesce(total, 1)) as bigint) as total_count,
    event_day as day
from {{ ref('stg_canonical__events') }}
where action = 'feature' and not is_after_churn
group by account_id, user_id, coalesce(product, '(none)'), coalesce(module, '(none)'), coalesce(feature, '(none)'), event_day
