-- One row: how many builds of the event chain began since the last one that came to its end; 0 as
-- it ends. Its last table: what began and never came here was cut short.
-- depends_on: {{ ref('int_event_chain__files') }}
select cast(0 as integer) as begun
