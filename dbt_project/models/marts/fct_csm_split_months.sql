-- One row per CSM and month: the figures of the accounts credited to the CSM as of their days, each
-- account shared among its CSMs. Shares are ten-thousandths: of n CSMs in order of e-mail, the k-th
-- has k/n of the amount less what those before it have, so that they add up to it.
with

credits as (
    select * from {{ ref('int_account_day__credited_csms') }}
    where basis = 'as_of'
),

creditable as (
    select * from {{ ref('int_account_month__creditable') }}
),

csm_months as (
    select * from {{ ref('fct_csm_months') }}
    where basis = 'as_of'
),

sums as (
    select
        credits.csm_email,
        {%- for figure in csm_figures(split=true) %}
        sum({{ share_of('creditable.' ~ figure, 'credits.csm_number', 'credits.csm_count') }})
            as {{ figure }},
        {%- endfor %}
        creditable.month
    from creditable
    inner join credits
        on
            creditable.account_id = credits.account_id
            and creditable.kind = credits.kind
            and creditable.credited_on = credits.credited_on
    group by credits.csm_email, creditable.month
)

select
    csm_months.csm_email,
    {%- for figure in csm_figures(split=true) %}
    {%- set shared = 'cast(coalesce(sums.' ~ figure ~ ', 0) as decimal(18, 4))' %}
    {%- if figure in csm_health_figures() %}
    case when csm_months.{{ figure }} is not null then {{ shared }} end as {{ figure }},
    {%- else %}
    {{ shared }} as {{ figure }},
    {%- endif %}
    {%- endfor %}
    csm_months.is_open_month,
    csm_months.month
from csm_months
left join sums
    on
        csm_months.csm_email = sums.csm_email
        and csm_months.month = sums.month
