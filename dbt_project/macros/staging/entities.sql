{#- Every entity of every domain, for models that count over all of them. -#}
{% macro entities() -%}
    {{ return({
        'crm': [
            'accounts', 'account_aliases', 'csm_aliases', 'csms', 'account_assignments',
            'contacts', 'users', 'interactions', 'notes', 'documents', 'deals', 'alerts', 'tasks',
            'goals', 'nps_responses', 'stage_history', 'account_metrics',
        ],
        'billing': ['subscriptions', 'invoices', 'invoice_lines', 'fx_rates'],
        'events': ['events'],
        'tickets': ['tickets', 'ticket_changes'],
    }) }}
{%- endmacro %}
