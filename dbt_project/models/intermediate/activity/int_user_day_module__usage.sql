-- One row per account, user, local day and module used on it: time spent, in microseconds.
select
    account_id,
    user_id,
    coalesce(product, '(none)') as product,
    coalesce(module, '(none)') as module,
    cast(sum(coalesce(time_spent_microseconds, 0)) as bigint) as microseconds,
    event_day as day
from {{ ref('stg_canonical__events') }}
where action = 'moduleEnd' and not is_after_churn
group by account_id, user_id, coalesce(product, '(none)'), coalesce(module, '(none)'), event_day
