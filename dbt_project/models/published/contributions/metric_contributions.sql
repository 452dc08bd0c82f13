-- One row per figure of the account pages, part of it and record that adds to it.
select * from {{ ref('contributions_financials') }}
union all
select * from {{ ref('contributions_retention') }}
union all
select * from {{ ref('contributions_nps') }}
union all
select * from {{ ref('contributions_activity') }}
