-- A failing row is a due record whose renewed MRR and reduction are not what was due, or whose
-- renewed MRR and uplift are not what renewed it, in either currency; or one that is renewed by a
-- record that renews another one as well, by none, or by one that was no renewal in time.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

renewals as (
    select
        *,
        count(renewed_by_record_id) over (partition by renewed_by_record_id) as times_used
    from {{ ref('int_subscription_record__renewal_outcome') }}
),

records as (
    select * from {{ ref('int_subscription_record__mrr') }}
)

select
    renewals.account_id,
    renewals.record_id,
    renewals.outcome,
    renewals.renewed_by_record_id,
    renewals.times_used,
    renewals.due_mrr,
    renewals.renewed_mrr,
    renewals.uplift_mrr,
    renewals.reduction_mrr
from renewals
left join records as renewing
    on renewals.renewed_by_record_id = renewing.record_id
cross join run_settings
where
    (renewals.outcome = 'renewed') != (renewing.record_id is not null)
    or renewals.times_used > 1
    or renewals.uplift_mrr < 0
    or renewals.reduction_mrr < 0
    or renewals.expiration_date > run_settings.last_full_day
    {%- for twin in ['', '_reporting'] %}
    or (
        renewals.outcome = 'renewed'
        and (
            renewals.renewed_mrr{{ twin }} + renewals.reduction_mrr{{ twin }}
            != renewals.due_mrr{{ twin }}
            or renewals.renewed_mrr{{ twin }} + renewals.uplift_mrr{{ twin }}
            != renewing.mrr{{ twin }}
        )
    )
    or (
        renewals.outcome != 'renewed'
        and (
            renewals.renewed_mrr{{ twin }} != 0
            or renewals.uplift_mrr{{ twin }} != 0
            or renewals.reduction_mrr{{ twin }} != 0
        )
    )
    {%- endfor %}
    or abs({{ days_between('renewals.expiration_date', 'renewing.start_date') }})
    > case
        when renewing.start_date < renewals.expiration_date then run_settings.renewal_early_days
        else run_settings.renewal_late_days
    end
    or renewing.expiration_date <= renewals.expiration_date
    or renewing.account_id != renewals.account_id
