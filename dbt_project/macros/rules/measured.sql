{#-
    What the settings files ask of accounts, answered: CTEs up to `measured`, one row per account,
    day and measure (without a value where none is known), and `fulfilled`, one row per account, day
    and owner of conditions (a health configuration, an alert rule) all of whose conditions hold.

    Stands on the CTEs `days` (account_id, day: the daily history without gaps), `figures` and
    `attributes`. `used_by` says whose measures and conditions are meant.

    A missing figure is no value, with one exception: a module or feature that was not used on a day
    was used 0 times. A measure over days, by its aggregation:

    value        the value of the day
    mean         of the days in the window that have a value
    sum          over a window that lies wholly in the account's history
    ratio        of two sums over the same window
    change_pct   from the value `over_days` before to that of the day; none from 0

    A missing value fulfils no condition, also not one that asks for a difference.
-#}
{% macro measured(used_by) -%}
measures as (
    select * from {{ source('run', 'measures') }}
    where used_by = '{{ used_by }}'
),

conditions as (
    select
        owner,
        measure,
        operator,
        {{ to_millionths('number_value') }} as millionths,
        text_values,
        date_value,
        count(*) over (partition by owner) as conditions_of_owner
    from {{ source('run', 'conditions') }}
    where owner_kind = '{{ used_by }}'
),

-- a figure that two measures ask for is read once
asked_figures as (
    select subject as figure
    from measures
    where not is_attribute
    union
    select per as figure
    from measures
    where per is not null
),

daily_figures as (
    select
        days.account_id,
        asked_figures.figure,
        days.day,
        coalesce(
            {{ to_millionths('figures.value') }},
            case
                when
                    asked_figures.figure like 'module:%' or asked_figures.figure like 'feature:%'
                    then 0
            end
        ) as millionths
    from days
    cross join asked_figures
    left join figures
        on
            days.account_id = figures.account_id
            and asked_figures.figure = figures.figure
            and days.day = figures.day
),

-- beside each value the one it is divided by or compared with
compared_figures as (
    select
        daily_figures.account_id,
        measures.measure,
        measures.aggregation,
        case when measures.aggregation = 'change_pct' then 1 else measures.over_days end
            as window_days,
        daily_figures.day,
        daily_figures.millionths,
        bases.millionths as base_millionths
    from measures
    inner join daily_figures
        on measures.subject = daily_figures.figure
    left join daily_figures as bases
        on
            daily_figures.account_id = bases.account_id
            and case measures.aggregation
                when 'ratio' then measures.per
                when 'change_pct' then measures.subject
            end = bases.figure
            and case measures.aggregation
                when 'ratio' then daily_figures.day
                else {{ add_days('daily_figures.day', '-measures.over_days') }}
            end = bases.day
    where not measures.is_attribute and measures.aggregation != 'value'
),

running_totals as (
    select
        account_id,
        measure,
        aggregation,
        window_days,
        day,
        coalesce(sum(millionths) over history, 0) as total,
        coalesce(sum(base_millionths) over history, 0) as base,
        count(millionths) over history as days_with_value,
        count(*) over history as days_in_history
    from compared_figures
    window history as (partition by account_id, measure order by day rows unbounded preceding)
),

-- a window is what has come in since the day before it
windows as (
    select
        up_to.account_id,
        up_to.measure,
        up_to.aggregation,
        up_to.day,
        up_to.total - coalesce(before.total, 0) as total,
        up_to.base - coalesce(before.base, 0) as base,
        up_to.days_with_value - coalesce(before.days_with_value, 0) as days_with_value,
        up_to.days_in_history >= up_to.window_days as is_whole
    from running_totals as up_to
    left join running_totals as before
        on
            up_to.account_id = before.account_id
            and up_to.measure = before.measure
            and {{ add_days('up_to.day', '-up_to.window_days') }} = before.day
),

over_days as (
    select
        account_id,
        measure,
        day,
        case aggregation
            when 'mean' then {{ divide_half_up('total', 'days_with_value') }}
            when 'sum' then case when is_whole then total end
            when 'ratio' then {{ divide_half_up('total * 1000000', 'base') }}
            when 'change_pct'
                then {{ divide_half_up('(total - base) * 100000000', 'abs(base)') }}
        end as millionths
    from windows
    where days_with_value > 0
),

measured as (
    select
        daily_figures.account_id,
        measures.measure,
        daily_figures.day,
        daily_figures.millionths,
        cast(null as varchar) as text_value,
        cast(null as date) as date_value
    from measures
    inner join daily_figures
        on measures.subject = daily_figures.figure
    where measures.aggregation = 'value'
    union all
    select
        account_id,
        measure,
        day,
        millionths,
        cast(null as varchar) as text_value,
        cast(null as date) as date_value
    from over_days
    union all
    select
        days.account_id,
        measures.measure,
        days.day,
        {{ to_millionths('attributes.number_value') }} as millionths,
        lower(trim(attributes.text_value)) as text_value,
        attributes.date_value
    from measures
    inner join attributes
        on
            measures.subject = attributes.attribute
            and measures.is_attribute
    inner join days
        on
            attributes.account_id = days.account_id
            and attributes.valid_from <= days.day
            and coalesce(attributes.valid_to > days.day, true)
),

held as (
    select
        measured.account_id,
        measured.day,
        conditions.owner,
        conditions.conditions_of_owner,
        case conditions.operator
            {%- for operator in ['<', '<=', '=', '!=', '>=', '>'] %}
            when '{{ operator }}'
                then coalesce(
                    measured.millionths {{ operator }} conditions.millionths,
                    measured.date_value {{ operator }} conditions.date_value
                )
            {%- endfor %}
            when 'in' then list_contains(conditions.text_values, measured.text_value)
            when 'not in' then not list_contains(conditions.text_values, measured.text_value)
        end as holds
    from conditions
    inner join measured
        on conditions.measure = measured.measure
),

fulfilled as (
    select
        account_id,
        day,
        owner
    from held
    where holds
    group by account_id, day, owner, conditions_of_owner
    having count(*) = conditions_of_owner
),
{%- endmacro %}

{#-
    Days on which an account counts: those of the daily history before its churn date. Where the
    record names none, it is churned while it says so. Stands on `days`, `accounts`, `attributes`.
-#}
{% macro not_churned() -%}
counted_days as (
    select
        days.account_id,
        days.day
    from days
    inner join accounts
        on days.account_id = accounts.account_id
    left join attributes
        on
            days.account_id = attributes.account_id
            and attributes.attribute = 'is_churned'
            and attributes.number_value = 1
            and attributes.valid_from <= days.day
            and coalesce(attributes.valid_to > days.day, true)
    where
        coalesce(days.day < accounts.churn_date, true)
        and attributes.account_id is null
),
{%- endmacro %}
