-- One row per ticket, field (status, priority, type) and time in which its value held: from
-- valid_from until valid_to, which is null where it still holds. Changes decide where the field has
-- any; without, the current value is taken for the one it always had, and a closed ticket was open
-- until it closed. A change follows the one before it: where its old value disagrees, nothing is
-- made up in between.
with

tickets as (
    select
        *,
        case
            when {{ is_closed_status('status') }}
                then greatest(created_at, coalesce(closed_at, version_at, created_at))
        end as assumed_closed_at
    from {{ ref('stg_canonical__tickets') }}
),

changes as (
    select * from {{ ref('stg_canonical__ticket_changes') }}
),

-- what was changed up to its creation is the value it was created with; else the first old value
created_with as (
    select
        ticket_id,
        account_id,
        field,
        coalesce(
            arg_max(new_value, changed_at) filter (where changed_at <= created_at),
            arg_min(old_value, changed_at)
        ) as value,
        cast(null as varchar) as change_location,
        cast(null as bigint) as change_line,
        created_at as valid_from
    from changes
    group by ticket_id, account_id, field, created_at
),

changed_to as (
    select
        ticket_id,
        account_id,
        field,
        new_value as value,
        location as change_location,
        line as change_line,
        changed_at as valid_from
    from changes
    where changed_at > created_at
),

current_values as (
    select
        ticket_id,
        account_id,
        'status' as field,
        'open' as value,
        cast(null as varchar) as change_location,
        cast(null as bigint) as change_line,
        created_at as valid_from
    from tickets
    where created_at < assumed_closed_at
    union all
    {% for field in ['priority', 'type'] -%}
    select
        ticket_id,
        account_id,
        '{{ field }}' as field,
        {{ field }} as value,
        cast(null as varchar) as change_location,
        cast(null as bigint) as change_line,
        created_at as valid_from
    from tickets
    union all
    {% endfor -%}
    select
        ticket_id,
        account_id,
        'status' as field,
        status as value,
        cast(null as varchar) as change_location,
        cast(null as bigint) as change_line,
        coalesce(assumed_closed_at, created_at) as valid_from
    from tickets
),

known as (
    select
        *,
        true as is_from_changes
    from created_with
    union all
    select
        *,
        true as is_from_changes
    from changed_to
    union all
    select
        current_values.*,
        false as is_from_changes
    from current_values
    left join created_with
        on
            current_values.ticket_id = created_with.ticket_id
            and current_values.field = created_with.field
    where created_with.ticket_id is null
),

different as (
    select *
    from known
    qualify
        value is distinct from
        lag(value) over (partition by ticket_id, field order by valid_from)
)

select
    ticket_id,
    account_id,
    field,
    value,
    is_from_changes,
    change_location,
    change_line,
    valid_from,
    lead(valid_from) over (partition by ticket_id, field order by valid_from) as valid_to
from different
