{#-
    The additive figures of CSMs and of the portfolio, with their unit: money in the reporting
    currency, or a count. Numerators and denominators are figures too. In this order they are
    columns of every table of CSMs. `split`: only those that are shared among the CSMs of an
    account, without the parts of rates and means.
-#}
{% macro csm_figures(split=false) -%}
    {%- set figures = {
        'accounts': 'count',
        'subscription_mrr': 'money',
        'starting_mrr': 'money',
        'new_mrr': 'money',
        'expansion_mrr': 'money',
        'contraction_mrr': 'money',
        'lost_mrr': 'money',
        'exchange_mrr': 'money',
        'ending_mrr': 'money',
        'churned_accounts': 'count',
        'churned_mrr': 'money',
        'due_accounts': 'count',
        'due_mrr': 'money',
        'renewed_accounts': 'count',
        'renewed_mrr': 'money',
        'open_accounts': 'count',
        'open_mrr': 'money',
        'uplift_mrr': 'money',
        'reduction_mrr': 'money',
        'alerts_closed': 'count',
        'alerts_successful': 'count',
        'alerts_unsuccessful': 'count',
        'alerts_false_alarm': 'count',
        'affected_mrr': 'money',
        'open_tickets': 'count',
        'healthy': 'count',
        'neutral': 'count',
        'unhealthy': 'count',
    } -%}
    {%- if not split -%}
        {%- for rate, unit in csm_rates().items() -%}
            {%- for part in ['numerator', 'denominator'] -%}
                {%- do figures.update({(rate | replace('_pct', '')) ~ '_' ~ part: unit}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(figures) }}
{%- endmacro %}

{#- Rates (in percent) and means of CSMs and of the portfolio, with the unit of their numerators and
    denominators: <name without _pct>_numerator and _denominator. -#}
{% macro csm_rates() -%}
    {{ return({
        'logo_churn_pct': 'count',
        'renewal_rate_pct': 'money',
        'renewal_rate_accounts_pct': 'count',
        'grr_1m_pct': 'money',
        'grr_3m_pct': 'money',
        'grr_12m_pct': 'money',
        'nrr_1m_pct': 'money',
        'nrr_3m_pct': 'money',
        'nrr_12m_pct': 'money',
        'nps_current': 'count',
        'health_mean': 'count',
    }) }}
{%- endmacro %}

{#- The figures that are known from the beginning of the health history on. -#}
{% macro csm_health_figures() -%}
    {{ return([
        'healthy', 'neutral', 'unhealthy', 'health_mean_numerator', 'health_mean_denominator',
    ]) }}
{%- endmacro %}

{#- The sums of the figures over rows of `int_account_month__creditable`, as columns. -#}
{% macro csm_sums(alias) -%}
    {%- for figure in csm_figures() %}
    sum({{ alias }}.{{ figure }}) as {{ figure }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#-
    The figures and rates of a month, as columns, of sums that may be missing: no row is 0, and what
    was not known in the month is NULL. Stands on the CTEs `months` (int_month__spine) and `sums`.
-#}
{% macro csm_columns() -%}
    {%- for figure, unit in csm_figures().items() %}
    {%- set type = 'decimal(18, 4)' if unit == 'money' else 'bigint' %}
    {%- if figure in csm_health_figures() %}
    case when months.has_health then cast(coalesce(sums.{{ figure }}, 0) as {{ type }}) end
        as {{ figure }},
    {%- else %}
    cast(coalesce(sums.{{ figure }}, 0) as {{ type }}) as {{ figure }},
    {%- endif %}
    {%- endfor %}
    {%- for rate in csm_rates() %}
    {%- set name = rate | replace('_pct', '') %}
    {{ ratio(
        'coalesce(sums.' ~ name ~ '_numerator, 0)', 'sums.' ~ name ~ '_denominator',
        100 if rate != name else 1,
    ) }} as {{ rate }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
