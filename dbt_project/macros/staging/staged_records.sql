{#-
    One row per landed record of an entity: typed, judged, attributed, and told apart.

    This is the one place where raw text becomes a type and where a record's outcome is decided, so
    that the same rules hold for every entity, and every record read can be counted. Outcomes
    (`record_status`):

    rejected        a required value is missing, a type does not parse, a value is out of its range,
                    the record it hangs on does not exist; `reason` says which
    duplicate       equal in every column, and of the same version date, to a record that is kept
    unattributed    valid, but its account is unknown or absent; `reason` says which
    superseded      an older version of a key, or a record of a file that was loaded again; where it
                    was refused, `reason` says why
    current         the version that holds as of the as-of date. Records dated after the last full
                    day are current too, and marked `is_dated_after`: they enter no figure of this
                    as-of date

    domain, entity  where the records landed
    columns         name → type, with `!` where a value is required. Types: text, instant, date,
                    money, number, rate, whole, boolean, currency, email, json
    key             columns that identify a record; its versions are told apart by date, load, file
                    and line. key_account_id stands for the record's account after merges
    optional_key    a key that may be absent: records without one are equal when all columns are
    deduplication   with optional_key: the setting that says if equal records without a key are one
    rules           (condition under which a record is refused, SQL text that says why)
    account         'own' (the record's account_id), 'parent' (that of the record it hangs on), none
    parent          with account='parent': model, key and noun of the record it hangs on
    own_files       whether account360 lands records of the entity as well: what they say of a key
                    holds over what the source says of it, whatever the dates
-#}
{% macro staged_records(
    domain,
    entity,
    columns,
    key=[],
    optional_key=none,
    deduplication=none,
    rules=[],
    account='own',
    parent=none,
    own_files=false
) -%}
{%- set raw = 'raw_' ~ domain -%}
{%- set has_updated_at = 'updated_at' in columns -%}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select * from {{ source(raw, entity) }}
),

{% if account == 'own' -%}
accounts as (
    select * from {{ ref('stg_native__account_resolution') }}
),

{% elif account == 'parent' -%}
-- the version of the parent that holds; the first, where all are dated after the last full day
parents as (
    select *
    from {{ ref(parent.model) }}
    where record_status in ('current', 'unattributed')
    qualify
        row_number() over (
            partition by {{ parent.key }}
            order by is_dated_after, version_at, load_number, location, line
        ) = 1
),

{% endif -%}
-- a file that was loaded again replaces what it said before
files as (
    select
        location,
        load_number,
        extract_date,
        cast(loaded_at as timestamp) as loaded_at,
        row_number() over (partition by location order by load_number) as file_version,
        load_number < max(load_number) over (partition by location) as is_replaced
    from {{ source(raw, 'landed_files') }}
    where entity = '{{ entity }}'
),

typed as (
    select
        records._location as location,
        records._line as line,
        records._load_number as load_number,
        files.file_version,
        files.extract_date,
        files.loaded_at,
        coalesce(files.is_replaced, false) as is_replaced,
        {%- for column, type in columns.items() %}
        {{ typed_column('records.' ~ column, type, 'run_settings.reporting_time_zone') }}
            as {{ column }},
        records.{{ column }} as raw_{{ column }},
        {%- endfor %}
        {{ record_as_json('records') }} as record
    from records
    left join files
        on
            records._location = files.location
            and records._load_number = files.load_number
    cross join run_settings
),

judged as (
    select
        typed.*,
        {%- if has_updated_at %}
        coalesce(
            typed.updated_at,
            {{ start_of_day('typed.extract_date', 'run_settings.reporting_time_zone') }}
        ) as version_at,
        coalesce(
            {{ local_day('typed.updated_at', 'run_settings.reporting_time_zone') }},
            typed.extract_date
        ) as version_date,
        {%- else %}
        cast(typed.extract_date as timestamp) as version_at,
        typed.extract_date as version_date,
        {%- endif %}
        nullif(
            concat_ws(
                '; ',
                {%- for column, type in columns.items() %}
                {{ refusals(column, type) }},
                {%- endfor %}
                {%- for condition, explanation in rules %}
                case when {{ condition }} then {{ explanation }} end,
                {%- endfor %}
                null
            ),
            ''
        ) as refusal
    from typed
    cross join run_settings
),

attributed as (
    select
        judged.*,
        {%- if account == 'own' %}
        judged.account_id as source_account_id,
        accounts.account_id as resolved_account_id,
        coalesce(accounts.account_id, judged.account_id) as key_account_id,
        coalesce(judged.refusal, accounts.reason) as reject_reason,
        case
            when judged.account_id is null then 'no account_id'
            when accounts.account_id is null then concat('unknown account ', judged.account_id)
        end as unattributed_reason,
        {%- elif account == 'parent' %}
        parents.source_account_id,
        parents.account_id as resolved_account_id,
        coalesce(
            judged.refusal,
            case
                when parents.{{ parent.key }} is null
                    then concat('no {{ parent.noun }} ', judged.{{ parent.key }})
            end
        ) as reject_reason,
        case when parents.record_status = 'unattributed' then parents.reason end
            as unattributed_reason,
        {%- else %}
        judged.refusal as reject_reason,
        cast(null as varchar) as unattributed_reason,
        {%- endif %}
        {%- if optional_key %}
        case
            when judged.{{ optional_key }} is not null then null
            when run_settings.{{ deduplication }} = 'exact' then judged.record
            else concat(judged.location, ':', judged.line, ':', judged.load_number)
        end as identity,
        {%- endif %}
        coalesce(judged.version_date >= run_settings.as_of_date, false) as is_dated_after
    from judged
    cross join run_settings
    {%- if account == 'own' %}
    left join accounts
        on judged.account_id = accounts.source_account_id
    {%- elif account == 'parent' %}
    left join parents
        on judged.{{ parent.key }} = parents.{{ parent.key }}
    {%- endif %}
),

{% set identity = [optional_key, 'identity'] if optional_key else key -%}
-- the latest of equal records is kept, since among different ones the latest holds; equal records
-- without a key keep the earliest, so that a repetition changes nothing
marked as (
    select
        *,
        {%- if optional_key %}
        is_replaced and {{ optional_key }} is null as is_withdrawn,
        {%- else %}
        false as is_withdrawn,
        {%- endif %}
        reject_reason is null
        and row_number() over (
            partition by
                {{ identity | join(', ') }}, version_at, record, reject_reason is null
                {%- if optional_key %}, is_replaced and {{ optional_key }} is null{% endif %}
            order by
                {%- if optional_key %}
                case when {{ optional_key }} is null then -load_number else load_number end desc,
                case when {{ optional_key }} is null then location end asc,
                case when {{ optional_key }} is null then line end asc,
                {%- elif own_files %}
                {{ landed_by_account360('location') }} desc,
                load_number desc,
                {%- else %}
                load_number desc,
                {%- endif %}
                location desc,
                line desc
        ) > 1 as is_duplicate
    from attributed
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                {{ identity | join(', ') }},
                reject_reason is null and not is_duplicate and not is_withdrawn,
                is_dated_after
            order by
                {%- if own_files %}
                {{ landed_by_account360('location') }} desc,
                {%- endif %}
                version_at desc nulls last, load_number desc, location desc, line desc
        ) as version_rank,
    from marked
),

{% if key and account != 'parent' -%}
{{ full_extract_deletions(raw, entity, key, own_files) }}

{% endif -%}
outcomes as (
    select
        ranked.*,
        {%- if key and account != 'parent' %}
        deletions.deleted_on,
        {%- else %}
        cast(null as date) as deleted_on,
        {%- endif %}
        case
            when is_withdrawn or (is_replaced and reject_reason is not null) then 'superseded'
            when reject_reason is not null then 'rejected'
            when is_duplicate then 'duplicate'
            when not is_dated_after and version_rank > 1 then 'superseded'
            when unattributed_reason is not null then 'unattributed'
            else 'current'
        end as record_status,
    from ranked
    {%- if key and account != 'parent' %}
    left join deletions
        on
            {%- for column in key %}
            {{ 'and ' if not loop.first -}}
            ranked.raw_{{ column | replace('key_', '') }} = deletions.{{ column }}
            {%- endfor %}
            {%- if own_files %}
            and not {{ landed_by_account360('ranked.location') }}
            {%- endif %}
    {%- endif %}
)

select
    {%- for column in columns if not (column == 'account_id' and account == 'own') %}
    {{ column }},
    {%- endfor %}
    {%- if account != none %}
    case when record_status in ('current', 'superseded') then resolved_account_id end as account_id,
    source_account_id,
    {%- endif %}
    location,
    line,
    load_number,
    file_version,
    version_at,
    version_date,
    record_status,
    case record_status
        when 'unattributed' then unattributed_reason
        else reject_reason
    end as reason,
    case when record_status = 'rejected' then record end as record,
    is_dated_after,
    deleted_on
from outcomes
{%- endmacro %}


{#- The typed value of a raw text column; '' is no value, except in a text. -#}
{% macro typed_column(text, type, zone) -%}
    {%- set kind = type | replace('!', '') -%}
    {%- set given = 'nullif(' ~ text ~ ", '')" -%}
    {%- if kind == 'text' -%} {{ given }}
    {%- elif kind == 'instant' -%} {{ to_instant(given, zone) }}
    {%- elif kind == 'date' -%} {{ to_date(given, zone) }}
    {%- elif kind == 'money' -%} {{ to_money(given) }}
    {%- elif kind == 'number' -%} {{ to_number(given) }}
    {%- elif kind == 'rate' -%} {{ to_rate(given) }}
    {%- elif kind == 'milliseconds' -%} {{ to_microseconds(given) }}
    {%- elif kind == 'whole' -%} {{ to_whole(given) }}
    {%- elif kind == 'boolean' -%} {{ to_boolean(given) }}
    {%- elif kind == 'currency' -%} {{ to_currency(given) }}
    {%- elif kind == 'email' -%} {{ to_email(given) }}
    {%- elif kind == 'json' -%} {{ to_json_text(given) }}
    {%- else -%} {{ exceptions.raise_compiler_error('unknown column type ' ~ type) }}
    {%- endif -%}
{%- endmacro %}


{#- Why a value is refused, or NULL: it is missing and required, or it does not parse. -#}
{% macro refusals(column, type) -%}
    {%- set nouns = {
        'instant': 'a timestamp',
        'date': 'a date',
        'money': 'an amount',
        'number': 'a number',
        'rate': 'a rate', 'milliseconds': 'a number of milliseconds',
        'whole': 'a whole number',
        'boolean': 'true or false',
        'currency': 'a currency code',
        'json': 'JSON',
    } -%}
    {%- set kind = type | replace('!', '') -%}
    {%- set clauses = [] -%}
    {%- if type.endswith('!') -%}
        {%- do clauses.append(
            "when raw_" ~ column ~ " is null or raw_" ~ column ~ " = ''"
            ~ " then '" ~ column ~ " is missing'"
        ) -%}
    {%- endif -%}
    {%- if kind in ('instant', 'date') -%}
        {%- do clauses.append(
            "when " ~ column ~ " is null and " ~ is_before_1901("raw_" ~ column)
            ~ " then concat('" ~ column ~ " ''', raw_" ~ column
            ~ ", ''' is before 1901: where there is no date, leave it empty')"
        ) -%}
    {%- endif -%}
    {%- if kind in nouns -%}
        {%- do clauses.append(
            "when " ~ column ~ " is null and raw_" ~ column ~ " != '' then concat('"
            ~ column ~ " ''', raw_" ~ column ~ ", ''' is not " ~ nouns[kind] ~ "')"
        ) -%}
    {%- endif -%}
    {%- if clauses -%} case {{ clauses | join(' ') }} end {%- else -%} null {%- endif -%}
{%- endmacro %}


{#-
    Keys that a complete extract no longer lists: `deletions`, one row per deleted key, with the
    date of the first extract in which it was missing. Only entities that the settings declare
    complete have any. An extract is all files of one date, each as it was last loaded; extracts
    after the last full day do not count yet. Files that account360 lands are no extracts, and what
    they say is in none.
-#}
{% macro full_extract_deletions(raw, entity, key, own_files=false) -%}
-- distinct, since several files may be one extract
extracts as (
    select distinct files.extract_date
    from files
    inner join run_settings
        on
            list_contains(run_settings.full_extract_entities, '{{ entity }}')
            and files.extract_date < run_settings.as_of_date
    where
        not files.is_replaced
        {%- if own_files %}
        and not {{ landed_by_account360('files.location') }}
        {%- endif %}
),

listed as (
    select
        {%- for column in key %}
        raw_{{ column | replace('key_', '') }} as {{ column }},
        {%- endfor %}
        max(extract_date) as last_listed_on
    from typed
    where
        not is_replaced
        {%- if own_files %}
        and not {{ landed_by_account360('location') }}
        {%- endif %}
        and extract_date in (select extracts.extract_date from extracts)
    group by
        {%- for column in key %}
        raw_{{ column | replace('key_', '') }}{{ ',' if not loop.last }}
        {%- endfor %}
),

deletions as (
    select
        {%- for column in key %}
        listed.{{ column }},
        {%- endfor %}
        min(extracts.extract_date) as deleted_on
    from listed
    inner join extracts
        on listed.last_listed_on < extracts.extract_date
    group by
        {%- for column in key %}
        listed.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
),
{%- endmacro %}


{#- Whether a file is one that `account360 assign` landed, in a folder of its own. -#}
{% macro landed_by_account360(location) -%}
    {{ location }} like 'crm/account_assignments/account360/%'
{%- endmacro %}
