-- One row per subscription record that was due for renewal: whether it was renewed, and how its MRR
-- went on. Owner of renewals. A record is due on its expiration date, up to the last full day, if
-- it was active on the day before, or until its own early renewal took its place. It is renewed by
-- the next record of its subscription, else by a record of the account that is marked as a renewal;
-- trials take no part. What started after the last full day is not among the records.
with recursive

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select
        *,
        lead(record_id) over subscription as next_record_id,
        lead(start_date) over subscription as next_start,
        lead(coalesce(expiration_date, date '9999-12-31')) over subscription as next_expiration
    from {{ ref('int_subscription_record__mrr') }}
    where not is_trial
    window subscription as (partition by account_id, subscription_id order by start_date)
),

expired as (
    select
        records.*,
        {{ add_days('records.expiration_date', '-run_settings.renewal_early_days') }}
            as renewable_from,
        {{ add_days('records.expiration_date', 'run_settings.renewal_late_days') }}
            as renewable_until
    from records
    cross join run_settings
    where records.expiration_date < run_settings.as_of_date
),

judged as (
    select
        *,
        coalesce(
            next_start between renewable_from and renewable_until
            and next_expiration > expiration_date,
            false
        ) as is_renewed_by_next
    from expired
),

due as (
    select *
    from judged
    where
        coalesce(active_to >= expiration_date, true)
        or (is_renewed_by_next and active_to = next_start)
),

-- what may renew the others: the nearest comes first, and those of the same days share a place
candidates as (
    select
        due.account_id,
        due.record_id,
        marked.record_id as renewed_by_record_id,
        dense_rank() over (
            partition by due.account_id
            order by
                abs({{ days_between('due.expiration_date', 'marked.start_date') }}) asc,
                due.expiration_date asc,
                marked.start_date asc,
                due.start_date asc,
                marked.expiration_date asc nulls last
        ) as place
    from due
    inner join records as marked
        on
            due.account_id = marked.account_id
            and marked.start_date between due.renewable_from and due.renewable_until
            and due.start_date < marked.start_date
            and coalesce(marked.expiration_date > due.expiration_date, true)
    left join due as renewed
        on
            marked.record_id = renewed.next_record_id
            and renewed.is_renewed_by_next
    where
        not due.is_renewed_by_next
        and marked.is_renewal
        and renewed.record_id is null
),

-- Each renews one record. In every round those that are nearest to each other are paired, in order
-- of their ids where several share a place, and leave; what is left goes on to the next round.
rounds as (
    select
        *,
        place = min(place) over (partition by record_id)
        and place = min(place) over (partition by renewed_by_record_id)
        and dense_rank() over (partition by account_id, place order by record_id)
        = dense_rank() over (partition by account_id, place order by renewed_by_record_id)
            as is_paired
    from candidates
    union all
    select
        account_id,
        record_id,
        renewed_by_record_id,
        place,
        place = min(place) over (partition by record_id)
        and place = min(place) over (partition by renewed_by_record_id)
        and dense_rank() over (partition by account_id, place order by record_id)
        = dense_rank() over (partition by account_id, place order by renewed_by_record_id)
            as is_paired
    from (
        select
            *,
            bool_or(is_paired) over (partition by record_id)
            or bool_or(is_paired) over (partition by renewed_by_record_id) as leaves
        from rounds
    ) as played
    where not leaves
),

decided as (
    select
        due.*,
        case
            when due.is_renewed_by_next then due.next_record_id
            else pairs.renewed_by_record_id
        end as renewed_by_record_id
    from due
    left join rounds as pairs
        on
            due.record_id = pairs.record_id
            and pairs.is_paired
)

select
    decided.account_id,
    decided.subscription_id,
    decided.record_id,
    decided.account_currency as currency,
    case
        when renewing.record_id is not null then 'renewed'
        when decided.renewable_until > run_settings.last_full_day then 'open'
        else 'lost'
    end as outcome,
    renewing.record_id as renewed_by_record_id,
    renewing.subscription_id as renewed_by_subscription_id,
    {%- for twin in ['', '_reporting'] %}
    decided.mrr{{ twin }} as due_mrr{{ twin }},
    case
        when renewing.record_id is null then 0
        else least(decided.mrr{{ twin }}, renewing.mrr{{ twin }})
    end as renewed_mrr{{ twin }},
    greatest(coalesce(renewing.mrr{{ twin }} - decided.mrr{{ twin }}, 0), 0)
        as uplift_mrr{{ twin }},
    greatest(coalesce(decided.mrr{{ twin }} - renewing.mrr{{ twin }}, 0), 0)
        as reduction_mrr{{ twin }},
    {%- endfor %}
    decided.renewable_until > run_settings.last_full_day as is_in_open_window,
    decided.start_date,
    decided.expiration_date,
    {{ month_of('decided.expiration_date') }} as due_month,
    renewing.start_date as renewed_on
from decided
left join records as renewing
    on decided.renewed_by_record_id = renewing.record_id
cross join run_settings
