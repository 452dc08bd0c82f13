-- One row per figure of the account pages, part of it and record that adds to it.
select * from {{ ref('contributions_financials') }}
union all
select * from {{ ref('contributions_retention') }}
union all
select * from {{ ref('contributions_nps') }}
union all
select * from {{ ref('contributions_activity') }}
union all
select * from {{ ref('contributions_support') }}
union all
select * from {{ ref('contributions_relations') }}
union all
select * from {{ ref('contributions_health') }}
union all
select * from {{ ref('contributions_metrics_page') }}
union all
select * from {{ ref('contributions_rollups') }}
