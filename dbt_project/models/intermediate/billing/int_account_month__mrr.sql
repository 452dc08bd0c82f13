-- One row per account and month: MRR at its boundaries, and how it moved. Owner of MRR and its
-- movements.
with

months as (
    select * from {{ ref('int_account_month__spine') }}
),

records as (
    select * from {{ ref('int_subscription_record__mrr') }}
),

active_around_month as (
    select
        months.account_id,
        months.month,
        records.subscription_id,
        records.mrr,
        records.mrr_reporting,
        records.active_from,
        records.active_from <= months.month
        and coalesce(records.active_to > months.month, true) as is_active_on_first_day,
        records.active_from <= months.day_before
        and coalesce(records.active_to > months.day_before, true) as is_active_on_day_before,
        records.active_from <= months.last_day
        and coalesce(records.active_to > months.last_day, true) as is_active_on_last_day
    from months
    inner join records
        on
            months.account_id = records.account_id
            and records.active_from <= months.last_day
            and coalesce(records.active_to > months.day_before, true)
),

boundaries as (
    select
        account_id,
        month,
        sum(mrr) filter (where is_active_on_first_day) as subscription_mrr,
        sum(mrr_reporting) filter (where is_active_on_first_day) as subscription_mrr_reporting,
        sum(mrr) filter (where is_active_on_last_day) as ending_mrr,
        sum(mrr_reporting) filter (where is_active_on_last_day) as ending_mrr_reporting
    from active_around_month
    group by account_id, month
),

-- subscriptions that came and went inside the month: the last of their records that did
came_and_went as (
    select
        account_id,
        month,
        subscription_id,
        arg_max(mrr, active_from) as mrr,
        arg_max(mrr_reporting, active_from) as mrr_reporting
    from active_around_month
    group by account_id, month, subscription_id
    having not bool_or(is_active_on_day_before) and not bool_or(is_active_on_last_day)
),

intra_month as (
    select
        account_id,
        month,
        sum(mrr) as intra_month_mrr,
        sum(mrr_reporting) as intra_month_mrr_reporting
    from came_and_went
    group by account_id, month
),

-- an end that grace may still undo is open from its own month on
provisional as (
    select
        months.account_id,
        months.month
    from months
    inner join records
        on
            months.account_id = records.account_id
            and months.last_day >= records.provisional_end_date
            and records.is_provisional
    group by months.account_id, months.month
),

ends as (
    select
        months.account_id,
        months.currency,
        months.month,
        months.is_open_month,
        provisional.account_id is not null as is_provisional_loss,
        coalesce(boundaries.subscription_mrr, 0) as subscription_mrr,
        coalesce(boundaries.subscription_mrr_reporting, 0) as subscription_mrr_reporting,
        coalesce(boundaries.ending_mrr, 0) as ending_mrr,
        coalesce(boundaries.ending_mrr_reporting, 0) as ending_mrr_reporting,
        coalesce(intra_month.intra_month_mrr, 0) as intra_month_mrr,
        coalesce(intra_month.intra_month_mrr_reporting, 0) as intra_month_mrr_reporting
    from months
    left join boundaries
        on
            months.account_id = boundaries.account_id
            and months.month = boundaries.month
    left join intra_month
        on
            months.account_id = intra_month.account_id
            and months.month = intra_month.month
    left join provisional
        on
            months.account_id = provisional.account_id
            and months.month = provisional.month
),

starts_and_ends as (
    select
        *,
        coalesce(lag(ending_mrr) over history, 0) as starting_mrr,
        coalesce(lag(ending_mrr_reporting) over history, 0) as starting_mrr_reporting,
        coalesce(
            bool_or(ending_mrr > 0) over (
                partition by account_id
                order by month
                rows between unbounded preceding and 1 preceding
            ),
            false
        ) as had_mrr
    from ends
    window history as (partition by account_id order by month)
),

-- negative MRR counts as having none for the class, and in full for the amount, so that the sums
-- close
classified as (
    select
        *,
        ending_mrr - starting_mrr as moved,
        ending_mrr_reporting - starting_mrr_reporting as moved_reporting,
        case
            when starting_mrr <= 0 and ending_mrr > 0 then 'new'
            when starting_mrr > 0 and ending_mrr <= 0 then 'lost'
            when ending_mrr > starting_mrr then 'expansion'
            when ending_mrr < starting_mrr then 'contraction'
            else 'none'
        end as movement
    from starts_and_ends
),

with_losses as (
    select
        *,
        max(case when movement = 'lost' then month end) over (
            partition by account_id
            order by month
            rows between unbounded preceding and 1 preceding
        ) as last_lost_month
    from classified
)

select
    account_id,
    month,
    currency,
    movement,
    case
        when movement = 'new' and had_mrr then 'reactivation'
        when movement = 'new' then 'new_logo'
    end as movement_subclass,
    case
        when movement = 'new' and had_mrr then {{ months_between('last_lost_month', 'month') }}
    end as months_since_lost,
    subscription_mrr,
    subscription_mrr_reporting,
    starting_mrr,
    starting_mrr_reporting,
    {% for class in ['new', 'expansion', 'contraction', 'lost'] -%}
    case when movement = '{{ class }}' then moved else 0 end as {{ class }}_mrr,
    case when movement = '{{ class }}' then moved_reporting else 0 end as {{ class }}_mrr_reporting,
    {% endfor -%}
    case when movement = 'none' then moved_reporting else 0 end as exchange_mrr_reporting,
    ending_mrr,
    ending_mrr_reporting,
    intra_month_mrr,
    intra_month_mrr_reporting,
    is_open_month,
    is_provisional_loss,
    starting_mrr < 0 or ending_mrr < 0 as has_negative_mrr
from with_losses
