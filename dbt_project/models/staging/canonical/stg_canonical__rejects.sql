-- Every record that was refused, with the reason and the record itself.
with

{% for domain in entities() -%}
{{ domain }}_files as (
    select
        location,
        load_number,
        row_number() over (partition by location order by load_number) as file_version,
        load_number < max(load_number) over (partition by location) as is_replaced
    from {{ source('raw_' ~ domain, 'landed_files') }}
),

{% endfor -%}
rejects as (
    {% for domain, names in entities().items() -%}
    {% for entity in names if entity != 'events' -%}
    select
        '{{ domain }}' as domain,
        '{{ entity }}' as entity,
        location,
        line,
        file_version,
        reason,
        record
    from {{ ref('stg_native__' ~ entity) }}
    where record_status = 'rejected'
    union all
    {% endfor -%}
    select
        '{{ domain }}' as domain,
        unparsed.entity,
        unparsed._location as location,
        unparsed._line as line,
        files.file_version,
        unparsed.reason,
        unparsed.record
    from {{ source('raw_' ~ domain, 'unparsed_lines') }} as unparsed
    inner join {{ domain }}_files as files
        on
            unparsed._location = files.location
            and unparsed._load_number = files.load_number
    where not files.is_replaced
    union all
    {% endfor -%}
    select
        'events' as domain,
        'events' as entity,
        location,
        line,
        file_version,
        reason,
        record
    from {{ ref('stg_native__event_rejects') }}
    union all
    select
        'crm' as domain,
        'account_parents' as entity,
        location,
        line,
        file_version,
        reason,
        to_json({'account_id': account_id, 'parent_account_id': parent_account_id})::varchar
            as record
    from {{ ref('stg_canonical__account_parents') }}
    where record_status = 'rejected'
)

select * from rejects
