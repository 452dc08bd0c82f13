{#-
    The published figures of an area of contributions, each with
    metric     the name of its entry in models/metrics
    table      where it is published
    column     in which column; its twin has `_reporting` behind it
    period     the column of its month or day; the last full day where there is none
    item       the column, or expression, that tells figures of an account and period apart
    has_twin   whether it is money in two currencies
    where      which rows of the table
    numerator, denominator  of a ratio, expressions: the parts that are published beside it
-#}
{% macro published_figures(area) -%}
    {%- set figures = [] -%}
    {%- if area == 'financials' -%}
        {%- for metric in [
            'starting_mrr', 'new_mrr', 'expansion_mrr', 'contraction_mrr', 'lost_mrr',
            'ending_mrr', 'intra_month_mrr',
        ] -%}
            {%- do figures.append(figure(metric, 'account_mrr_monthly', 'month', has_twin=true)) -%}
        {%- endfor -%}
        {%- do figures.append(figure('exchange_mrr_reporting', 'account_mrr_monthly', 'month')) -%}
        {%- for metric in [
            'subscription_mrr', 'recurring_invoice_revenue', 'non_recurring_invoice_revenue',
            'unclassified_invoice_revenue', 'failed_invoice_revenue', 'payments',
        ] -%}
            {%- do figures.append(
                figure(metric, 'account_revenue_monthly', 'month', has_twin=true)
            ) -%}
        {%- endfor -%}
        {%- for metric in ['subscription_mrr', 'ending_mrr'] -%}
            {%- do figures.append(
                figure(metric, 'account_360', month_of(last_full_day_of()), has_twin=true)
            ) -%}
        {%- endfor -%}
        {%- for metric in ['lifetime_revenue', 'lifetime_payments'] -%}
            {%- do figures.append(figure(metric, 'account_360', has_twin=true)) -%}
        {%- endfor -%}
        {%- for metric in ['monthly_amount', 'monthly_revenue'] -%}
            {%- do figures.append(figure(
                metric, 'account_subscriptions', item=record_item(), has_twin=true
            )) -%}
        {%- endfor -%}
    {%- elif area == 'retention' -%}
        {%- for metric in ['due_mrr', 'renewed_mrr', 'uplift_mrr', 'reduction_mrr'] -%}
            {%- do figures.append(figure(
                metric, 'account_renewals', 'due_month', item=record_item(), has_twin=true
            )) -%}
        {%- endfor -%}
        {%- do figures.append(
            figure('churned_mrr', 'account_churn', column='lost_mrr', has_twin=true)
        ) -%}
    {%- elif area == 'nps' -%}
        {%- for metric, parts in {
            'nps_current': ['score_total', 'responses'],
            'nps_net': ['promoters - detractors', 'responses'],
            'nps_latest_per_user': ['user_score_total', 'users'],
        }.items() -%}
            {%- do figures.append(figure(
                metric, 'account_nps', numerator=parts[0], denominator=parts[1]
            )) -%}
        {%- endfor -%}
        {%- for metric in ['nps_current', 'nps_net'] -%}
            {%- do figures.append(figure(metric, 'account_360')) -%}
            {%- do figures.append(daily_figure(metric)) -%}
        {%- endfor -%}
    {%- elif area == 'activity' -%}
        {%- for metric in ['dau', 'wau', 'mau', 'product_users'] -%}
            {%- do figures.append(figure(metric, 'account_activity_daily', 'day')) -%}
            {%- do figures.append(figure(metric, 'account_360')) -%}
            {%- do figures.append(daily_figure(metric)) -%}
        {%- endfor -%}
        {%- do figures.append(
            figure('session_seconds', 'user_activity_daily', 'day', item='user_id')
        ) -%}
        {%- do figures.append(figure(
            'seconds_per_active_user', 'account_activity_daily', 'day',
            numerator='session_seconds', denominator='dau'
        )) -%}
        {%- do figures.append(figure(
            'seconds_per_active_user', 'account_360', denominator='dau'
        )) -%}
        {%- do figures.append(daily_figure('seconds_per_active_user')) -%}
        {%- for metric in ['activity_rank', 'activity_rank_in_account'] -%}
            {%- do figures.append(
                figure(metric, 'account_users', item='user_id')
            ) -%}
        {%- endfor -%}
        {%- for kind, columns in {
            'module': ['product', 'module'], 'feature': ['product', 'module', 'feature'],
        }.items() -%}
            {%- set item = "concat_ws(' / ', " ~ columns | join(', ') ~ ')' -%}
            {%- set total = 'total_seconds' if kind == 'module' else 'total_count' -%}
            {%- set mean = 'per_user_per_day_used' -%}
            {%- do figures.append(figure(
                kind ~ '_' ~ total, 'account_' ~ kind ~ '_usage_30d', column=total, item=item
            )) -%}
            {%- do figures.append(figure(
                mean if kind == 'module' else 'count_' ~ mean,
                'account_' ~ kind ~ '_usage_30d',
                column=('seconds_' if kind == 'module' else 'count_') ~ mean,
                item=item,
                denominator='days_used',
            )) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(figures) }}
{%- endmacro %}

{% macro figure(
    metric, table, period=none, column=none, item='null', has_twin=false, where='true',
    numerator='null', denominator='null'
) -%}
    {{ return({
        'metric': metric,
        'table': table,
        'column': column or metric,
        'period': period,
        'item': item,
        'has_twin': has_twin,
        'where': where,
        'numerator': numerator,
        'denominator': denominator,
    }) }}
{%- endmacro %}

{#- A figure of the metrics page, by day. -#}
{% macro daily_figure(metric) -%}
    {{ return(figure(
        metric, 'account_metrics_daily', 'day', column='value', where="metric = '" ~ metric ~ "'"
    )) }}
{%- endmacro %}

{#- What tells records of subscriptions apart. -#}
{% macro record_item() -%}
    concat(subscription_id, ' ', start_date)
{%- endmacro %}

{#- The areas of contributions, each a model `contributions_<area>`. -#}
{% macro contribution_areas() -%}
    {{ return(['financials', 'retention', 'nps', 'activity']) }}
{%- endmacro %}
