-- One row per account and claim of the source: the figure of ours beside it and, where they differ,
-- the first reading of ours that the claim is equal to. A claim may be cut off or rounded: MRR is
-- compared within a cent, NPS and health as whole numbers.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

claims as (
    select * from {{ ref('stg_canonical__account_claims') }}
),

open_months as (
    select * from {{ ref('int_account_month__mrr') }}
    where is_open_month
),

past_months as (
    select * from {{ ref('int_account_month__mrr') }}
    where not is_open_month
),

mrr_days as (
    select * from {{ ref('int_account_day__mrr') }}
),

active_records as (
    select records.*
    from {{ ref('int_subscription_record__mrr') }} as records
    cross join run_settings
    where
        records.active_from < run_settings.as_of_date
        and coalesce(records.active_to >= run_settings.as_of_date, true)
),

subscriptions as (
    select
        account_id,
        sum(case when is_trial then monthly_amount else mrr end) as mrr_with_trials,
        sum(case when is_trial then 0 else monthly_amount end) as mrr_unconverted
    from active_records
    group by account_id
),

-- accounts whose claim is the MRR at the end of an earlier month, or of a single record
alike_months as (
    select claims.account_id
    from claims
    inner join past_months
        on
            claims.account_id = past_months.account_id
            and abs(claims.source_value - past_months.ending_mrr) < 0.01
    where claims.claim = 'current_mrr'
    group by claims.account_id
),

alike_records as (
    select claims.account_id
    from claims
    inner join active_records
        on
            claims.account_id = active_records.account_id
            and abs(claims.source_value - active_records.mrr) < 0.01
    where claims.claim = 'current_mrr'
    group by claims.account_id
),

nps as (
    select * from {{ ref('int_account__nps') }}
),

nps_days as (
    select * from {{ ref('int_account_day__nps') }}
),

health_days as (
    select * from {{ ref('int_account_day__health') }}
),

mrr_readings as (
    select
        claims.*,
        coalesce(open_months.ending_mrr, 0) as our_mrr,
        abs(claims.source_value - our_mrr) < 0.01 as is_ours,
        case
            when abs(claims.source_value - open_months.ending_mrr_reporting) < 0.01
                then 'in the reporting currency'
            when
                abs(claims.source_value - mrr_days.ending_mrr) < 0.01
                or alike_months.account_id is not null
                then 'outdated'
            when abs(claims.source_value - subscriptions.mrr_with_trials) < 0.01
                then 'with trials'
            when abs(claims.source_value - subscriptions.mrr_unconverted) < 0.01
                then 'without conversion'
            when abs(claims.source_value - 12 * our_mrr) < 0.12
                then 'of a year'
            when claims.source_value = 0 and open_months.is_provisional_loss
                then 'without days of grace'
            when alike_records.account_id is not null
                then 'of one subscription'
            else 'unknown'
        end as reading
    from claims
    left join open_months
        on claims.account_id = open_months.account_id
    left join mrr_days
        on
            claims.account_id = mrr_days.account_id
            and claims.stated_on = mrr_days.day
    left join alike_months
        on claims.account_id = alike_months.account_id
    left join alike_records
        on claims.account_id = alike_records.account_id
    left join subscriptions
        on claims.account_id = subscriptions.account_id
    where claims.claim = 'current_mrr'
),

nps_readings as (
    select
        claims.*,
        nps.nps_current,
        round(nps.nps_current) = round(claims.source_value) as is_ours,
        case
            when nps.account_id is null then 'no figure of ours'
            when round(nps_days.nps_current) = round(claims.source_value) then 'outdated'
            when round(nps.nps_net) = round(claims.source_value) then 'net score'
            when round(nps.nps_latest_per_user) = round(claims.source_value)
                then 'latest answer of each user'
            else 'unknown'
        end as reading
    from claims
    left join nps
        on claims.account_id = nps.account_id
    left join nps_days
        on
            claims.account_id = nps_days.account_id
            and claims.stated_on = nps_days.day
    where claims.claim = 'current_nps_score'
),

health_readings as (
    select
        claims.*,
        last_days.health_score,
        last_days.health_score = round(claims.source_value) as is_ours,
        case
            when last_days.account_id is null then 'no figure of ours'
            when stated_days.health_score = round(claims.source_value) then 'outdated'
            else 'unknown'
        end as reading
    from claims
    cross join run_settings
    left join health_days as last_days
        on
            claims.account_id = last_days.account_id
            and run_settings.last_full_day = last_days.day
    left join health_days as stated_days
        on
            claims.account_id = stated_days.account_id
            and claims.stated_on = stated_days.day
    where claims.claim = 'current_health_score'
),

readings as (
    select
        account_id,
        claim,
        cast(source_value as double) as source_value,
        cast(our_mrr as double) as our_value,
        cast(our_mrr - source_value as double) as difference,
        is_ours,
        reading,
        stated_on
    from mrr_readings
    union all
    select
        account_id,
        claim,
        cast(source_value as double) as source_value,
        nps_current as our_value,
        nps_current - cast(source_value as double) as difference,
        is_ours,
        reading,
        stated_on
    from nps_readings
    union all
    select
        account_id,
        claim,
        cast(source_value as double) as source_value,
        cast(health_score as double) as our_value,
        cast(health_score - source_value as double) as difference,
        is_ours,
        reading,
        stated_on
    from health_readings
)

select
    account_id,
    claim,
    source_value,
    our_value,
    difference,
    case
        when difference = 0 then null
        when is_ours then 'rounding'
        else reading
    end as cause,
    stated_on
from readings
