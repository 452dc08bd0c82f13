-- One row per account and month of the 12 that end in the month of the last full day: tickets
-- opened, closed, reopened and open, and how old they were. Owner of ticket figures by month.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

tickets as (
    select * from {{ ref('int_ticket_month__state') }}
),

months as (
    select
        accounts.account_id,
        run_settings.open_month,
        {{ each_month(add_months('run_settings.open_month', -11), 'run_settings.open_month') }}
            as month
    from accounts
    cross join run_settings
),

figures as (
    select
        account_id,
        month,
        sum(opened) as opened,
        sum(closed) as closed,
        sum(reopened) as reopened,
        count(*) filter (where not is_open_at_end) as closed_tickets,
        count(*) filter (where is_open_at_start) as open_at_start,
        count(*) filter (where is_open_at_end) as open_at_end,
        count(*) filter (where was_open) as open_during_month,
        sum(age_microseconds) filter (where not is_open_at_end) as closed_age_microseconds,
        sum(age_microseconds) filter (where is_open_at_end) as open_age_microseconds,
        {{ percentile('age_microseconds', 0.5) }} filter (where not is_open_at_end)
            as median_microseconds,
        {{ percentile('age_microseconds', 0.9) }} filter (where not is_open_at_end)
            as p90_microseconds
    from tickets
    group by account_id, month
),

filled as (
    select
        months.account_id,
        months.month,
        months.month = months.open_month as is_open_month,
        {%- for count in [
            'opened', 'closed', 'reopened', 'closed_tickets', 'open_at_start', 'open_at_end',
            'open_during_month',
        ] %}
        cast(coalesce(figures.{{ count }}, 0) as bigint) as {{ count }},
        {%- endfor %}
        coalesce(figures.closed_age_microseconds, 0) as closed_age_microseconds,
        coalesce(figures.open_age_microseconds, 0) as open_age_microseconds,
        figures.median_microseconds,
        figures.p90_microseconds
    from months
    left join figures
        on
            months.account_id = figures.account_id
            and months.month = figures.month
)

select
    *,
    case
        when closed_tickets + open_at_end > 0
            then
                (closed_age_microseconds + open_age_microseconds)
                / 86400e6 / (closed_tickets + open_at_end)
    end as age_days_mean,
    case when closed_tickets > 0 then closed_age_microseconds / 86400e6 / closed_tickets end
        as closed_age_days_mean,
    case when open_at_end > 0 then open_age_microseconds / 86400e6 / open_at_end end
        as open_age_days_mean,
    median_microseconds / 86400e6 as time_to_close_median_days,
    p90_microseconds / 86400e6 as time_to_close_p90_days
from filled
