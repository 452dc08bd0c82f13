{#-
    What differs between SQL engines stands in this folder and nowhere else: DuckDB now, Spark SQL
    later. This file: from raw text to a type. Each macro gives NULL where the text does not parse.
-#}

{#- The instant (naive UTC timestamp) in a text: ISO 8601 with an offset or Z, without one (then it
    is read in the time zone `zone`), or epoch milliseconds. Fewer than 11 digits are refused rather
    than read as a moment in 1970: they are epoch seconds or a date without dashes. So is what is
    before 1901: systems write it for "no date" (0001-01-01, 1899-12-30, 1900-01-01), and figures by
    day would begin there. -#}
{% macro to_instant(text, zone) -%}
    case
        when regexp_full_match({{ text }}, '(\d{11,14}|-\d{11,12}|-1\d{12})([.]0+)?')
            then make_timestamp(try_cast({{ text }} as bigint) * 1000)
        when
            regexp_full_match(
                {{ text }},
                '{{ year() }}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)? ?'
                || '(Z|z|UTC|[+-]\d{2}(:?\d{2})?)'
            )
            then timezone('UTC', try_cast({{ with_seconds(text) }} as timestamptz))
        when
            regexp_full_match(
                {{ text }}, '{{ year() }}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)?)?'
            )
            then timezone('UTC', timezone({{ zone }}, try_cast({{ text }} as timestamp)))
    end
{%- endmacro %}

{#- A year from 1901 on, as part of a regular expression. -#}
{% macro year() -%} (190[1-9]|19[1-9]\d|[2-9]\d{3}) {%- endmacro %}

{#- Whether a text that is no date is one before that. -#}
{% macro is_before_1901(text) -%}
    regexp_matches({{ text }}, '^(0\d{3}|1[0-8]\d{2}|1900)-\d{2}-\d{2}')
{%- endmacro %}

{#- ISO 8601 lets seconds be left out before an offset; the engine's cast does not. -#}
{% macro with_seconds(text) -%}
    regexp_replace({{ text }}, '^(.{16})( ?[Zz+U-])', '\1:00\2')
{%- endmacro %}

{#- The date in a text: YYYY-MM-DD, also with a midnight behind it; any other instant is its local
    day. -#}
{% macro to_date(text, zone) -%}
    case
        when
            regexp_full_match(
                {{ text }},
                '{{ year() }}-\d{2}-\d{2}([T ]00:00(:00([.]0+)?)?(Z|[+]00(:?00)?)?)?'
            )
            then try_cast(left({{ text }}, 10) as date)
        else {{ local_day(to_instant(text, zone), zone) }}
    end
{%- endmacro %}

{#- An amount of money, half up to four decimals; NULL as well where it has over 13 digits before
    the point: the month of a record may be several times its amount. -#}
{% macro to_money(text) -%}
    cast(try_cast({{ text }} as decimal(17, 4)) as decimal(18, 4))
{%- endmacro %}

{#- A decimal number that is no money, half up to eight decimals. -#}
{% macro to_number(text) -%}
    try_cast({{ text }} as decimal(28, 8))
{%- endmacro %}

{#- An exchange rate, half up to twelve decimals. -#}
{% macro to_rate(text) -%}
    try_cast({{ text }} as decimal(30, 12))
{%- endmacro %}

{#- A whole number of up to 15 digits, so that thousands of them still add up. The engine's own cast
    would round 7.6 to 8. -#}
{% macro to_whole(text) -%}
    case
        when regexp_full_match({{ text }}, '[+-]?0*\d{1,15}([.]0+)?')
            then try_cast(regexp_extract({{ text }}, '^[+-]?\d+') as bigint)
    end
{%- endmacro %}

{% macro to_boolean(text) -%}
    case
        when lower({{ text }}) in ('true', 't', 'yes', 'y', '1') then true
        when lower({{ text }}) in ('false', 'f', 'no', 'n', '0') then false
    end
{%- endmacro %}

{#- A currency code: three letters. -#}
{% macro to_currency(text) -%}
    case when regexp_full_match({{ text }}, '[A-Za-z]{3}') then upper({{ text }}) end
{%- endmacro %}

{#- A JSON text (list or object) that is valid. -#}
{% macro to_json_text(text) -%}
    case when json_valid({{ text }}) then {{ text }} end
{%- endmacro %}

{#- An e-mail address as it is compared everywhere: trimmed, lower case. -#}
{% macro to_email(text) -%}
    nullif(lower(trim({{ text }})), '')
{%- endmacro %}

{#- All columns of the relation `alias` but those of provenance, as one JSON text. -#}
{% macro record_as_json(alias) -%}
    to_json(
        struct_pack(*columns({{ alias }}.* exclude (_location, _line, _load_number)))
    )::varchar
{%- endmacro %}

{#- A duration in milliseconds as whole microseconds, half up; NULL as well where it has over 12
    digits before the point (31 years), which the product could not hold. -#}
{% macro to_microseconds(text) -%}
    cast(try_cast({{ text }} as decimal(15, 3)) * 1000 as bigint)
{%- endmacro %}

{#- A number of 128 bits that two different texts do not share. -#}
{% macro text_hash(text) -%}
    md5_number({{ text }})
{%- endmacro %}

{#- A number of 128 bits that two records do not share unless they are equal in every column, the
    columns that nobody agreed on included: two hashes of 64 bits, over the columns forwards and
    backwards. A cryptographic hash of the same text takes six times as long. Another version of the
    engine may give another number, and so does a table with more columns. -#}
{% macro content_hash(alias, columns) -%}
    {%- set all_columns = '*columns(' ~ alias ~ '.* exclude (_location, _line, _load_number))' -%}
    (cast(hash({{ all_columns }}) as uhugeint) << 64)
    | hash(
        {%- for column in columns | reverse %}
        {{ alias }}.{{ column }},
        {%- endfor %}
        {{ all_columns }}
    )
{%- endmacro %}

{#- A number of 64 bits to find equal values by; NULL where one of them is. Others may share it, and
    another version of the engine may give another. -#}
{% macro lookup_hash(values) -%}
    case
        when
            {%- for value in values %}
            {{ value }} is not null{{ ' and' if not loop.last }}
            {%- endfor %}
            then hash({{ values | join(', ') }})
    end
{%- endmacro %}

{#- A text as it is searched: without accents, in lower case, with one space for any white space.
    Upper case comes first, since it makes one of the letters that have two small forms. -#}
{% macro to_search_text(text) -%}
    trim(regexp_replace(lower(upper(strip_accents({{ text }}))), '[\s\p{Z}]+', ' ', 'g'))
{%- endmacro %}

{#- Whether a product user was erased: the id is a pseudonym (ingestion/erased/ makes it). -#}
{% macro is_erased_user(user_id) -%}
    regexp_full_match({{ user_id }}, 'erased-[0-9a-f]{24}')
{%- endmacro %}
