-- A failing row is an entity of which more records were refused than the settings allow. The
-- records stand in staging with their reasons; mend the files, or raise reject_threshold_pct.
select
    conservation.domain,
    conservation.entity,
    conservation.records_read,
    conservation.rejected,
    round(100.0 * conservation.rejected / conservation.records_read, 2) as rejected_pct,
    run_settings.reject_threshold_pct
from {{ ref('int_entity__conservation') }} as conservation
cross join {{ ref('run_settings') }} as run_settings
where
    conservation.entity != 'account_parents'
    and 100.0 * conservation.rejected
    > run_settings.reject_threshold_pct * conservation.records_read
