{#-
    The event chain is the one part of the warehouse that a night does not rebuild: a night
    recomputes the days of users that its new records touch, and what hangs on them. What that
    takes stands in this file.

    `int_event_chain__files`, `…accounts` and `…people` are built when every table of the chain says
    what the records say, and remember from what. The next night compares, and recomputes what
    differs. A night that dies half way leaves them behind, and tables of which some say what the
    records say by that night, and some by the one before. So the days that it touched stay in
    `stg_native__event_days_touched`, and the next night computes them again with its own, be it of
    another date, with other files or after a correction. Figures of accounts by day and ranks hang
    on more than days, and are all computed again then; `int_event_chain__builds` tells that a build
    was cut short. The state is named without ref(): the chain begins with what it ended with, and
    the lineage would be a circle.
-#}

{#- Whether there is a last build to go on from. Without one, or with a full refresh, all is
    computed. -#}
{% macro chain_goes_on() -%}
    {{ return(
        execute
        and not flags.FULL_REFRESH
        and adapter.get_relation(
            database=target.database, schema='intermediate', identifier='int_event_chain__builds'
        ) is not none
    ) }}
{%- endmacro %}

{#- What the chain remembers of its last build: `files`, `accounts`, `people` or `builds`. -#}
{% macro last_build_of(what) -%}
    {{ api.Relation.create(
        database=target.database, schema='intermediate', identifier='int_event_chain__' ~ what
    ) }}
{%- endmacro %}

{#- The outcomes of event records by user and day, as the last build left them: what tells on which
    days an account has records, without a look at the records. -#}
{% macro last_outcomes() -%}
    {{ api.Relation.create(
        database=target.database, schema='staging', identifier='stg_native__event_outcomes'
    ) }}
{%- endmacro %}

{#- What every row of the chain hangs on beside its code: where it differs from the last build, all
    is computed anew. Another version of the engine may hash otherwise, and a record's hash is over
    all columns there are. Where the code changed, a night asks for a full refresh
    (orchestration/upgrades.py). -#}
{% macro chain_settings() -%}
    concat_ws(
        ' ',
        {{ engine_version() }},
        {{ columns_of('raw_events', 'events') }},
        reporting_time_zone,
        session_timeout_minutes,
        session_duration,
        event_deduplication
    )
{%- endmacro %}

{#- Whether the settings of the last build were others; a condition. -#}
{% macro chain_settings_changed() -%}
    exists (
        select 1
        from {{ ref('run_settings') }}
        where {{ chain_settings() }} not in (
            select chain_settings from {{ last_build_of('files') }}
        )
    )
{%- endmacro %}

{#- Whether a build began after the last one that came to its end, before this night's; a
    condition. It holds for what comes after this night has begun its own. -#}
{% macro chain_was_cut_short() -%}
    exists (select 1 from {{ last_build_of('builds') }} where begun > 1)
{%- endmacro %}

{#- Before all is computed anew, for a full refresh or other settings: should that die half way, the
    next night must not take the chain for whole. -#}
{% macro forget_last_build() -%}
    {% if execute and adapter.get_relation(
        database=target.database, schema='intermediate', identifier='int_event_chain__files'
    ) is not none -%}
    delete from {{ last_build_of('files') }}
    {%- if not flags.FULL_REFRESH %}
    where {{ chain_settings_changed() }}
    {%- endif %}
    {%- endif %}
{%- endmacro %}

{#- Before the touched days are found: forget those of a build that came to its end. -#}
{% macro forget_done_days() -%}
    {% if is_incremental() -%}
    delete from {{ this }}
    {%- if chain_goes_on() %}
    where not exists (select 1 from {{ last_build_of('builds') }} where begun > 0)
    {%- endif %}
    {%- endif %}
{%- endmacro %}

{#- From here on the tables of the chain change. -#}
{% macro begin_build() -%}
    {% if chain_goes_on() -%}
    update {{ last_build_of('builds') }}
    set begun = begun + 1
    {%- endif %}
{%- endmacro %}

{#- Before records are typed: forget those that were typed under other settings. -#}
{% macro forget_all_events() -%}
    {% if is_incremental() -%}
    delete from {{ this }}
    {%- if chain_goes_on() %}
    where {{ chain_settings_changed() }}
    {%- endif %}
    {%- endif %}
{%- endmacro %}

{#- Before a table of the chain takes in new rows: forget those of the user-days that are computed
    again. -#}
{% macro forget_touched_days() -%}
    {% if is_incremental() and not chain_goes_on() -%}
    delete from {{ this }}
    {%- elif is_incremental() -%}
    delete from {{ this }}
    where
        {{ chain_settings_changed() }}
        or (
            -- by the day alone first: a night touches few days of many
            day in (select day from {{ ref('stg_native__event_days_touched') }})
            and (account_id, user_id, day) in (
                select (account_id, user_id, day) from {{ ref('stg_native__event_days_touched') }}
            )
        )
    {%- endif %}
{%- endmacro %}

{#- What CRM says of accounts and their users that daily usage figures hang on. -#}
{% macro people_of_the_chain() -%}
    select
        accounts.account_id,
        accounts.churn_date,
        users.user_id,
        users.product_join_date,
        users.deactivated_on
    from {{ ref('stg_canonical__accounts') }} as accounts
    left join {{ ref('stg_canonical__users') }} as users
        on accounts.account_id = users.account_id
{%- endmacro %}

{#- Before the daily usage of accounts takes in new rows: forget the days that are computed again,
    and the accounts that are gone. -#}
{% macro forget_usage_days() -%}
    {% if is_incremental() -%}
    delete from {{ this }}
    where
        coalesce(
            day >= (
                select usage_days.computed_from
                from {{ ref('int_account__usage_days') }} as usage_days
                where usage_days.account_id = {{ this.identifier }}.account_id
            ),
            true
        )
    {%- endif %}
{%- endmacro %}

{#- Before the ranks of days take in new rows: forget the days that are ranked again, and those that
    have left the window. -#}
{% macro forget_ranked_days() -%}
    {% if is_incremental() -%}
    delete from {{ this }}
    where day not in (
        select ranked_days.day
        from {{ ref('int_day__ranked') }} as ranked_days
        where not ranked_days.is_ranked_again
    )
    {%- endif %}
{%- endmacro %}
