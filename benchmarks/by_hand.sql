-- The activity tables as one would write them by hand for one history of events: UTC, running
-- sessions by delta, no files that come twice, no unknown accounts, nothing refused, nothing kept
-- for the next night. What `make bench` holds the warehouse's full build against; the results must
-- be equal. Variables, set before: events (files) and as_of (the first day that is not complete).
create table events as
select distinct
    account_id, user_id, session_id, action, product, module, feature,
    active_duration, time_spent, total,
    make_timestamp(created_at * 1000) as created_at,
    cast(make_timestamp(created_at * 1000) as date) as day
from read_parquet(getvariable('events'))
where created_at < epoch_ms(cast(getvariable('as_of') as timestamp));

create table intervals as
with syncs as (
    select account_id, user_id, session_id, active_duration, created_at
    from events
    where action = 'sessionSync'
),
gaps as (
    select
        account_id, user_id, session_id, created_at,
        lag(created_at) over (
            partition by account_id, user_id, session_id order by created_at
        ) as previous_at
    from events
    where
        action not in ('sessionSync', 'identifyUser', 'identifyAccount')
        and (session_id is null or (account_id, user_id, session_id) not in (
            select (account_id, user_id, session_id) from syncs where session_id is not null
        ))
),
whole as (
    select account_id, user_id, true as is_synced, false as is_without_id,
        created_at - to_milliseconds(active_duration) as started_at, created_at as ended_at
    from syncs
    union all
    select account_id, user_id, false, session_id is null, previous_at, created_at
    from gaps
    where previous_at < created_at and created_at - previous_at <= interval 30 minutes
)
-- no interval is longer than half an hour: it passes one midnight at most
select
    * exclude (started_at, ended_at), cast(started_at as date) as day, started_at,
    least(ended_at, cast(cast(started_at as date) + 1 as timestamp)) as ended_at
from whole
union all
select
    * exclude (started_at, ended_at),
    cast(ended_at as date) as day, cast(cast(ended_at as date) as timestamp), ended_at
from whole
where cast(started_at as date) < cast(ended_at as date) and ended_at > cast(ended_at as date);

create table user_days as
with islands as (
    select account_id, user_id, day, min(started_at) as started_at, max(ended_at) as ended_at
    from (
        select *, sum(begins) over (
            partition by account_id, user_id, day order by started_at, ended_at
        ) as island
        from (
            select *, cast(coalesce(started_at > max(ended_at) over (
                partition by account_id, user_id, day order by started_at, ended_at
                rows between unbounded preceding and 1 preceding
            ), true) as integer) as begins
            from intervals
            where is_synced
        )
    )
    group by account_id, user_id, day, island
),
twice as (
    select loose.account_id, loose.user_id, loose.day, sum(date_diff(
        'microsecond',
        greatest(loose.started_at, islands.started_at),
        least(loose.ended_at, islands.ended_at)
    )) as microseconds
    from intervals as loose
    inner join islands using (account_id, user_id, day)
    where
        loose.is_without_id
        and loose.started_at < islands.ended_at
        and loose.ended_at > islands.started_at
    group by all
),
timed as (
    select account_id, user_id, day,
        sum(date_diff('microsecond', started_at, ended_at)) as microseconds
    from intervals
    group by all
),
counted as (
    select account_id, user_id, day,
        count(*) as known_count,
        count(*) filter (where action not in ('identifyUser', 'identifyAccount')) as event_count
    from events
    group by all
)
select
    account_id, user_id, day, known_count, coalesce(event_count, 0) as event_count,
    least(coalesce(timed.microseconds - coalesce(twice.microseconds, 0), 0), 86400000000)
        as microseconds
from counted
full join timed using (account_id, user_id, day)
left join twice using (account_id, user_id, day);

create table user_activity_daily as
select account_id, user_id, event_count, microseconds * 0.000001::decimal(7, 6) as session_seconds,
    day
from user_days
where (event_count > 0 or microseconds > 0) and day < getvariable('as_of');

create table users as
select account_id, user_id, min(day) filter (where known_count > 0) as first_known_day,
    min(day) filter (where event_count > 0) as first_seen_date,
    max(day) filter (where event_count > 0) as last_seen_date
from user_days
group by all;

create table account_activity_daily as
with active as (
    select account_id, day, lead(day) over (
        partition by account_id, user_id order by day
    ) as next_day
    from user_activity_daily
    where event_count > 0
),
changes as (
    select account_id, day, 1 as dau, 1 as wau, 1 as mau, 0 as users from active
    union all
    select account_id, day + 1, -1, 0, 0, 0 from active
    union all
    select account_id, least(day + 7, next_day), 0, -1, 0, 0 from active
    union all
    select account_id, least(day + 30, next_day), 0, 0, -1, 0 from active
    union all
    select account_id, first_known_day, 0, 0, 0, 1 from users
),
by_day as (
    select account_id, day, sum(dau) as dau, sum(wau) as wau, sum(mau) as mau, sum(users) as users
    from changes
    group by all
),
times as (
    select account_id, day, sum(session_seconds) as session_seconds
    from user_activity_daily
    group by all
),
days as (
    select account_id, cast(unnest(generate_series(
        min(first_known_day), cast(getvariable('as_of') as date) - 1, interval 1 day
    )) as date) as day
    from users
    group by account_id
),
running as (
    select
        account_id, day,
        sum(dau) over past as dau, sum(wau) over past as wau, sum(mau) over past as mau,
        sum(users) over past as product_users,
        coalesce(session_seconds, 0) as session_seconds
    from days
    left join by_day using (account_id, day)
    left join times using (account_id, day)
    window past as (partition by account_id order by day)
)
select *, case when dau > 0 then session_seconds::double / dau end as seconds_per_active_user
from running;

create table account_users as
with recent as (
    select account_id, user_id, day, session_seconds
    from user_activity_daily
    where session_seconds > 0 and day > cast(getvariable('as_of') as date) - 60
),
windows as (
    select account_id, user_id, ranked.day, sum(session_seconds) as session_seconds
    from recent
    inner join (
        select cast(getvariable('as_of') as date) - 1 - n::integer as day from range(30) as r (n)
    ) as ranked on recent.day between ranked.day - 29 and ranked.day
    group by all
),
ranked as (
    select
        *,
        percent_rank() over (partition by day order by session_seconds) as share_below,
        percent_rank() over (partition by day, account_id order by session_seconds)
            as share_below_in_account
    from windows
),
trends as (
    select account_id, user_id, regr_slope(share_below, epoch(day) / 86400) as slope
    from ranked
    group by all
)
select
    users.account_id, users.user_id, users.first_seen_date, users.last_seen_date,
    coalesce(ranked.session_seconds, 0) as session_seconds_30d,
    100 * ranked.share_below as activity_rank,
    100 * ranked.share_below_in_account as activity_rank_in_account,
    case when abs(trends.slope) < 1e-12 then 0 else sign(trends.slope) end as rank_trend
from users
left join ranked
    on users.account_id = ranked.account_id and users.user_id = ranked.user_id
    and ranked.day = cast(getvariable('as_of') as date) - 1
left join trends on ranked.account_id = trends.account_id and ranked.user_id = trends.user_id;

create table module_days as
select account_id, user_id, coalesce(product, '(none)') as product,
    coalesce(module, '(none)') as module, day, sum(time_spent) as milliseconds
from events
where action = 'moduleEnd' and day > cast(getvariable('as_of') as date) - 31
group by all;

create table feature_days as
select account_id, user_id, coalesce(product, '(none)') as product,
    coalesce(module, '(none)') as module, coalesce(feature, '(none)') as feature, day,
    sum(coalesce(total, 1)) as total
from events
where action = 'feature' and day > cast(getvariable('as_of') as date) - 31
group by all;

create table user_module_usage_30d as
select account_id, user_id, product, module, sum(milliseconds) / 1000 as total_seconds,
    count(*) as days_used, max(day) as last_used_date
from module_days
group by all;

create table user_feature_usage_30d as
select account_id, user_id, product, module, feature, sum(total) as total_count,
    count(*) as days_used, max(day) as last_used_date
from feature_days
group by all;

create table account_module_usage_30d as
with daily as (
    select account_id, product, module, day, sum(milliseconds) as total, count(*) as users
    from module_days
    group by all
),
used as (
    select account_id, product, module, sum(total) / 1000 as total_seconds,
        avg(total / users) / 1000 as seconds_per_user_per_day_used, count(*) as days_used,
        max(day) as last_used_date
    from daily
    group by all
),
people as (
    select account_id, product, module, count(distinct user_id) as users
    from module_days
    group by all
),
known as (
    select account_id, count(*) as users from users group by all
)
select used.*, people.users, known.users - people.users as non_users,
    row_number() over (
        partition by used.account_id order by total_seconds desc, product, module
    ) as rank_in_account
from used
inner join people using (account_id, product, module)
inner join known on used.account_id = known.account_id;

create table account_feature_usage_30d as
with daily as (
    select account_id, product, module, feature, day, sum(total) as total, count(*) as users
    from feature_days
    group by all
),
used as (
    select account_id, product, module, feature, sum(total) as total_count,
        avg(total / users) as count_per_user_per_day_used, count(*) as days_used,
        max(day) as last_used_date
    from daily
    group by all
),
people as (
    select account_id, product, module, feature, count(distinct user_id) as users
    from feature_days
    group by all
),
known as (
    select account_id, count(*) as users from users group by all
)
select used.*, people.users, known.users - people.users as non_users,
    row_number() over (
        partition by used.account_id order by total_count desc, product, module, feature
    ) as rank_in_account
from used
inner join people using (account_id, product, module, feature)
inner join known on used.account_id = known.account_id;
