-- One row per file loaded, over all domains.
{% for domain in entities() -%}
select
    '{{ domain }}' as domain,
    entity,
    location,
    load_number,
    row_number() over (partition by location order by load_number) as file_version,
    load_id,
    content_hash,
    rows_read,
    extract_date,
    cast(loaded_at as timestamp) as loaded_at
from {{ source('raw_' ~ domain, 'landed_files') }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
