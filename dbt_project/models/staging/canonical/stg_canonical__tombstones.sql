-- One row per key that was deleted as of the as-of date: by a complete extract that does not list
-- it any more, or, of accounts, by a record that says so.
with

{% set entities_with_account = [
    'accounts', 'account_assignments', 'contacts', 'users', 'interactions', 'notes', 'documents',
    'deals', 'alerts', 'tasks', 'goals',
] -%}
tombstones as (
    {% for entity in entities_with_account -%}
    select
        'crm' as domain,
        '{{ entity }}' as entity,
        {% if entity == 'accounts' -%}
        account_id,
        coalesce(deleted_on, version_date) as deleted_on,
        {% else -%}
        source_account_id as account_id,
        deleted_on,
        {% endif -%}
        location,
        line,
        file_version
    from {{ ref('stg_native__' ~ entity) }}
    where
        record_status in ('current', 'unattributed')
        and not is_dated_after
        {% if entity == 'accounts' -%}
        and (deleted_on is not null or coalesce(is_deleted, false))
        {%- else -%}
        and deleted_on is not null
        {%- endif %}
    union all
    {% endfor -%}
    {% for domain, entity in [
        ('billing', 'subscriptions'), ('billing', 'invoices'), ('tickets', 'tickets'),
    ] -%}
    select
        '{{ domain }}' as domain,
        '{{ entity }}' as entity,
        source_account_id as account_id,
        deleted_on,
        location,
        line,
        file_version
    from {{ ref('stg_native__' ~ entity) }}
    where
        record_status in ('current', 'unattributed')
        and not is_dated_after
        and deleted_on is not null
    {% if not loop.last -%} union all {% endif %}
    {% endfor %}
    union all
    select
        'crm' as domain,
        'csms' as entity,
        cast(null as varchar) as account_id,
        deleted_on,
        location,
        line,
        file_version
    from {{ ref('stg_native__csms') }}
    where record_status = 'current' and not is_dated_after and deleted_on is not null
)

select * from tombstones
