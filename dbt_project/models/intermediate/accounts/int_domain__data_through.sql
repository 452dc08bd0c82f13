-- One row: for each domain, the last day up to the last full day that a loaded record is dated on.
-- What account360 landed itself tells nothing of how far the source's data reaches.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

{% set dated = {
    'crm': [
        ('interactions', 'occurred_at'), ('notes', 'created_at'), ('alerts', 'triggered_at'),
        ('tasks', 'created_at'), ('nps_responses', 'submitted_at'),
    ],
    'billing': [('invoices', 'created_at')],
    'tickets': [('tickets', 'created_at'), ('ticket_changes', 'changed_at')],
} -%}
{% set versioned = {
    'crm': [
        'accounts', 'csms', 'account_assignments', 'contacts', 'users', 'interactions', 'notes',
        'documents', 'deals', 'alerts', 'tasks', 'goals', 'nps_responses', 'stage_history',
        'account_metrics',
    ],
    'billing': ['subscriptions', 'invoices', 'invoice_lines', 'fx_rates'],
    'tickets': ['tickets', 'ticket_changes'],
} -%}
record_days as (
    {% for domain, names in versioned.items() -%}
    {% for name in names -%}
    select
        '{{ domain }}' as domain,
        max(records.version_date) as day
    from {{ ref('stg_native__' ~ name) }} as records
    cross join run_settings
    where
        records.record_status != 'rejected'
        and records.version_date < run_settings.as_of_date
        {%- if name == 'account_assignments' %}
        and not {{ landed_by_account360('records.location') }}
        {%- endif %}
    union all
    {% endfor -%}
    {% for name, column in dated[domain] -%}
    select
        '{{ domain }}' as domain,
        {{ local_day(
            'max(records.' ~ column ~ ')', 'any_value(run_settings.reporting_time_zone)'
        ) }} as day
    from {{ ref('stg_native__' ~ name) }} as records
    cross join run_settings
    where
        records.record_status != 'rejected'
        and records.{{ column }} < run_settings.as_of_at
    union all
    {% endfor -%}
    {% endfor -%}
    select
        'events' as domain,
        max(greatest(events.day, events.version_date)) as day
    from {{ ref('stg_native__event_outcomes') }} as events
    cross join run_settings
    where
        events.record_status != 'rejected'
        and not events.is_dated_after
        and events.day < run_settings.as_of_date
)

select
    max(day) filter (where domain = 'crm') as crm_data_through,
    max(day) filter (where domain = 'billing') as billing_data_through,
    max(day) filter (where domain = 'events') as events_data_through,
    max(day) filter (where domain = 'tickets') as tickets_data_through
from record_days
