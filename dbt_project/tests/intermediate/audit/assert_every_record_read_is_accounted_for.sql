-- A failing row is an entity of which records were lost or counted twice on the way from file to
-- staging.
select *
from {{ ref('int_entity__conservation') }}
where difference != 0
