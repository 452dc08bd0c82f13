-- One row per account and month of the 12 that end in the month of the last full day: tickets of
-- the account and all its descendants. Means are computed from the sums, median and percentile over
-- the tickets of all of them.
with

families as (
    select * from {{ ref('int_account_descendant__path') }}
),

months as (
    select * from {{ ref('int_account_month__tickets') }}
),

tickets as (
    select * from {{ ref('int_ticket_month__state') }}
),

{% set sums = [
    'opened', 'closed', 'reopened', 'closed_tickets', 'open_at_start', 'open_at_end',
    'open_during_month', 'closed_age_microseconds', 'open_age_microseconds',
] -%}
sums as (
    select
        families.account_id,
        families.descendants,
        months.month,
        {% for figure in sums -%}
        sum(months.{{ figure }}) as {{ figure }},
        {% endfor -%}
        bool_or(months.is_open_month) as is_open_month
    from families
    inner join months
        on families.descendant_account_id = months.account_id
    group by families.account_id, families.descendants, months.month
),

times_to_close as (
    select
        families.account_id,
        tickets.month,
        {{ percentile('tickets.age_microseconds', 0.5) }} as median_microseconds,
        {{ percentile('tickets.age_microseconds', 0.9) }} as p90_microseconds
    from families
    inner join tickets
        on families.descendant_account_id = tickets.account_id
    where not tickets.is_open_at_end
    group by families.account_id, tickets.month
)

select
    sums.*,
    case
        when sums.closed_tickets + sums.open_at_end > 0
            then
                (sums.closed_age_microseconds + sums.open_age_microseconds)
                / 86400e6 / (sums.closed_tickets + sums.open_at_end)
    end as age_days_mean,
    case
        when sums.closed_tickets > 0
            then sums.closed_age_microseconds / 86400e6 / sums.closed_tickets
    end as closed_age_days_mean,
    case when sums.open_at_end > 0 then sums.open_age_microseconds / 86400e6 / sums.open_at_end end
        as open_age_days_mean,
    times_to_close.median_microseconds / 86400e6 as time_to_close_median_days,
    times_to_close.p90_microseconds / 86400e6 as time_to_close_p90_days
from sums
left join times_to_close
    on
        sums.account_id = times_to_close.account_id
        and sums.month = times_to_close.month
