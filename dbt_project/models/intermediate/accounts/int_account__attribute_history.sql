-- One row per account, attribute and time in which it held one value, on the days of the daily
-- history: [valid_from, valid_to). Owner of what an account's record said on a day. Each version of
-- the record holds from its day until the next one's; values that go on unchanged are one row.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

versions as (
    select * from {{ ref('stg_canonical__account_versions') }}
),

-- a version without a date counts from the first day of the history
held as (
    select
        versions.*,
        greatest(run_settings.figures_first_day, versions.version_date) as valid_from,
        lead(versions.version_date) over (
            partition by versions.account_id order by versions.version_date asc nulls first
        ) as valid_to
    from versions
    cross join run_settings
),

-- the day from which a version calls the account churned; one after the last full day is unset
with_churn as (
    select
        held.*,
        case
            when
                held.is_churned
                and coalesce(held.churn_date < run_settings.as_of_date, true)
                then coalesce(greatest(held.churn_date, held.valid_from), held.valid_from)
        end as churned_from
    from held
    cross join run_settings
    where coalesce(held.valid_to > run_settings.figures_first_day, true)
),

-- a version that names a churn date later than its own is two: before it, and from it on
spans as (
    select
        with_churn.* replace (
            0 as is_churned,
            null as churn_date,
            null as churn_reason,
            least(with_churn.valid_to, with_churn.churned_from) as valid_to
        )
    from with_churn
    where coalesce(with_churn.valid_from < with_churn.churned_from, true)
    union all
    select
        with_churn.* replace (
            1 as is_churned,
            with_churn.churned_from as valid_from
        )
    from with_churn
    where
        with_churn.churned_from is not null
        and coalesce(with_churn.churned_from < with_churn.valid_to, true)
),

{% set attributes = {
    'text': [
        'account_name', 'parent_account_id', 'currency', 'tier', 'stage', 'industry', 'country',
        'churn_reason',
    ],
    'number': ['employees', 'csm_score', 'is_churned'],
    'date': ['join_date', 'renewal_date', 'churn_date'],
} -%}
{% set dimensions = {'label': 'text', 'value': 'number', 'event': 'date'} -%}
listed as (
    {% for kind in dimensions -%}
    select
        account_id,
        '{{ kind }}' as kind,
        {{ each_json_entry('custom_' ~ kind ~ '_dimensions') }} as entry,
        {{ each_json_position('custom_' ~ kind ~ '_dimensions') }} as position,
        valid_from,
        valid_to
    from spans
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- a key that is listed twice: the last one holds
dimensions as (
    select
        account_id,
        kind,
        concat(kind, ':', {{ json_field('entry', 'key') }}) as attribute,
        {{ json_field('entry', 'value') }} as stated_value,
        valid_from,
        valid_to
    from listed
    where trim({{ json_field('entry', 'key') }}) != ''
    qualify
        row_number() over (
            partition by account_id, attribute, valid_from order by position desc
        ) = 1
),

stated as (
    {% for type, names in attributes.items() -%}
    {% for name in names -%}
    select
        account_id,
        '{{ name }}' as attribute,
        {{ name if type == 'text' else 'cast(null as varchar)' }} as text_value,
        {{ 'cast(' ~ name ~ ' as double)' if type == 'number' else 'cast(null as double)' }}
            as number_value,
        {{ name if type == 'date' else 'cast(null as date)' }} as date_value,
        valid_from,
        valid_to
    from spans
    union all
    {% endfor -%}
    {% endfor -%}
    select
        dimensions.account_id,
        dimensions.attribute,
        case when dimensions.kind = 'label' then dimensions.stated_value end as text_value,
        case
            when dimensions.kind = 'value'
                then cast({{ to_number('dimensions.stated_value') }} as double)
        end as number_value,
        case
            when dimensions.kind = 'event'
                then {{ to_date('dimensions.stated_value', 'run_settings.reporting_time_zone') }}
        end as date_value,
        dimensions.valid_from,
        dimensions.valid_to
    from dimensions
    cross join run_settings
),

known as (
    select
        *,
        coalesce(
            valid_from != lag(valid_to) over history
            or (text_value, number_value, date_value) is distinct from (
                lag(text_value) over history,
                lag(number_value) over history,
                lag(date_value) over history
            ),
            true
        ) as begins
    from stated
    where text_value is not null or number_value is not null or date_value is not null
    window history as (partition by account_id, attribute order by valid_from)
),

numbered as (
    select
        *,
        count_if(begins) over (
            partition by account_id, attribute order by valid_from rows unbounded preceding
        ) as run_number
    from known
)

select
    account_id,
    attribute,
    text_value,
    number_value,
    date_value,
    min(valid_from) as valid_from,
    case when count(valid_to) = count(*) then max(valid_to) end as valid_to
from numbered
group by account_id, attribute, text_value, number_value, date_value, run_number
