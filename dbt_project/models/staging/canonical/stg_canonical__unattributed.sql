-- Every valid record whose account is unknown or absent, with its money where it has any.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

invoices as (
    select * from {{ ref('stg_native__invoices') }}
    where record_status = 'unattributed'
),

{% set without_account = [
    'accounts', 'account_aliases', 'csm_aliases', 'csms', 'fx_rates', 'events',
] -%}
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
        location,
        line,
        file_version,
        source_account_id as account_id,
        reason,
        cast(null as decimal(18, 4)) as amount,
        cast(null as varchar) as currency
    from {{ ref('stg_native__event_exceptions') }}
    where record_status = 'unattributed'
    union all
    select
        'crm' as domain,
        'account_parents' as entity,
        location,
        line,
        file_version,
        parent_account_id as account_id,
        reason,
        cast(null as decimal(18, 4)) as amount,
        cast(null as varchar) as currency
    from {{ ref('stg_canonical__account_parents') }}
    where record_status = 'unattributed'
)

select * from unattributed
