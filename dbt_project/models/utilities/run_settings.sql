-- The clock and the settings of this run. Every model that needs a date or an option reads it here.
select
    as_of_date,
    {{ add_days('as_of_date', -1) }} as last_full_day,
    {{ month_of(add_days('as_of_date', -1)) }} as open_month,
    {{ add_days('as_of_date', '-metric_history_days') }} as history_first_day,
    {{ start_of_day('as_of_date', 'reporting_time_zone') }} as as_of_at,
    reporting_time_zone,
    reporting_currency,
    end_date_is_inclusive,
    grace_days,
    trial_plan_codes,
    session_timeout_minutes,
    session_duration,
    event_deduplication,
    nps_deduplication,
    nps_window_days,
    renewal_early_days,
    renewal_late_days,
    reject_threshold_pct,
    full_extract_entities,
    metric_history_days
from {{ source('run', 'settings') }}
