-- Every valid record whose account is unknown or absent, with its money where it has any. Tickets
-- and events that an account would have as of the last full day have the day they happened on.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

-- one that was changed after the last full day stands there twice
invoices as (
    select * from {{ ref('stg_native__invoices') }}
    where record_status = 'unattributed'
    qualify row_number() over (partition by invoice_id order by is_dated_after) = 1
),

{% set without_account = [
    'accounts', 'account_aliases', 'csm_aliases', 'csms', 'fx_rates', 'events',
] -%}
{% set ticket_day -%}
case
            when
                records.created_at < run_settings.as_of_at
                and not records.is_dated_after
                and records.deleted_on is null
                then {{ local_day('records.created_at', 'run_settings.reporting_time_zone') }}
        end
{%- endset -%}
unattributed as (
    {% for domain, names in entities().items() -%}
    {% for entity in names if entity not in without_account -%}
    select
        '{{ domain }}' as domain,
        '{{ entity }}' as entity,
        records.location,
        records.line,
        records.file_version,
        records.source_account_id as account_id,
        records.reason,
        {{ ticket_day if entity == 'tickets' else 'cast(null as date)' }} as happened_on,
        {% if entity == 'invoice_lines' -%}
        records.amount,
        coalesce(invoices.currency, run_settings.reporting_currency) as currency
        {% elif entity == 'subscriptions' -%}
        records.total_revenue as amount,
        coalesce(records.currency, run_settings.reporting_currency) as currency
        {% elif entity == 'deals' -%}
        records.amount,
        coalesce(records.currency, run_settings.reporting_currency) as currency
        {% else -%}
        cast(null as decimal(18, 4)) as amount,
        cast(null as varchar) as currency
        {% endif -%}
    from {{ ref('stg_native__' ~ entity) }} as records
    cross join run_settings
    {% if entity == 'invoice_lines' -%}
    left join invoices
        on records.invoice_id = invoices.invoice_id
    {% endif -%}
    where records.record_status = 'unattributed'
    union all
    {% endfor -%}
    {% endfor -%}
    select
        'events' as domain,
        'events' as entity,
        exceptions.location,
        exceptions.line,
        exceptions.file_version,
        exceptions.source_account_id as account_id,
        exceptions.reason,
        case when exceptions.day < run_settings.as_of_date then exceptions.day end as happened_on,
        cast(null as decimal(18, 4)) as amount,
        cast(null as varchar) as currency
    from {{ ref('stg_native__event_exceptions') }} as exceptions
    cross join run_settings
    where exceptions.record_status = 'unattributed'
    union all
    select
        'crm' as domain,
        'account_parents' as entity,
        location,
        line,
        file_version,
        parent_account_id as account_id,
        reason,
        cast(null as date) as happened_on,
        cast(null as decimal(18, 4)) as amount,
        cast(null as varchar) as currency
    from {{ ref('stg_canonical__account_parents') }}
    where record_status = 'unattributed'
)

select * from unattributed
