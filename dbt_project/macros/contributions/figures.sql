{#-
    The published figures of an area of contributions, each with
    metric     the name of its entry in models/metrics
    table      where it is published
    column     in which column; its twin has `_reporting` behind it
    period     the column of its month or day; the last full day where there is none
    item       the column, or expression, that tells figures of an account and period apart
    has_twin   whether it is money in two currencies
    where      which rows of the table
    is_rounded whether it is the nearest whole number, half up, to what adds up
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
    {%- elif area == 'support' -%}
        {%- for metric, column in {
            'tickets_opened': 'opened', 'tickets_closed': 'closed', 'tickets_reopened': 'reopened',
            'tickets_open_at_end': 'open_at_end', 'tickets_open_during_month': 'open_during_month',
            'time_to_close_days': 'time_to_close_median_days',
            'time_to_close_p90_days': 'time_to_close_p90_days',
        }.items() -%}
            {%- do figures.append(
                figure(metric, 'account_tickets_monthly', 'month', column=column)
            ) -%}
        {%- endfor -%}
        {%- for metric, parts in {
            'closed_age_days_mean': ['closed_age_seconds', 'closed_tickets'],
            'open_age_days_mean': ['open_age_seconds', 'open_at_end'],
            'age_days_mean': [
                'closed_age_seconds + open_age_seconds', 'closed_tickets + open_at_end',
            ],
        }.items() -%}
            {%- do figures.append(figure(
                metric, 'account_tickets_monthly', 'month',
                numerator=parts[0], denominator=parts[1]
            )) -%}
        {%- endfor -%}
        {%- do figures.append(figure(
            'ticket_age_days', 'account_tickets', column='age_days', item='ticket_id'
        )) -%}
        {%- do figures.append(figure(
            'open_tickets_by_value', 'account_open_tickets_monthly', 'month',
            column='open_at_end', item="concat_ws(' / ', dimension, value)"
        )) -%}
    {%- elif area == 'relations' -%}
        {%- do figures.append(
            figure('task_age_days', 'account_tasks', column='age_days', item='task_id')
        ) -%}
        {%- do figures.append(
            figure('alert_age_days', 'account_alerts', column='age_days', item='alert_id')
        ) -%}
        {%- do figures.append(figure(
            'deal_amount', 'account_deals', column='amount', item='deal_id', has_twin=true
        )) -%}
        {%- for metric in ['open_tasks', 'open_alerts'] -%}
            {%- do figures.append(figure(metric, 'account_360')) -%}
        {%- endfor -%}
        {%- do figures.append(figure(
            'timeline_items', 'account_timeline_counts', 'month', column='items', item='source'
        )) -%}
        {%- do figures.append(figure('descendants', 'account_mrr_monthly_rollup', 'month')) -%}
    {%- elif area == 'health' -%}
        {%- do figures.append(
            figure('health_score', 'account_health_daily', 'day', is_rounded=true)
        ) -%}
        {%- do figures.append(
            figure('health_score', 'account_health_daily', 'day', column='health_points')
        ) -%}
        {%- do figures.append(figure('health_score', 'account_360', is_rounded=true)) -%}
        {%- do figures.append(daily_figure('health_score', is_rounded=true)) -%}
        {%- for metric, column in {
            'health_component_score': 'score', 'health_contribution': 'contribution',
        }.items() -%}
            {%- do figures.append(figure(
                metric, 'account_health_components', 'day', column=column, item='component'
            )) -%}
        {%- endfor -%}
    {%- elif area == 'metrics_page' -%}
        {%- for metric in [
            'ending_mrr_reporting', 'dau_share_pct', 'mau_share_pct', 'days_active_30d',
            'open_tickets', 'days_since_last_touchpoint', 'days_invoice_open', 'csm_score',
            'days_to_renewal',
        ] -%}
            {%- do figures.append(daily_figure(metric)) -%}
        {%- endfor -%}
        {%- for metric in ['ending_mrr', 'subscription_mrr'] -%}
            {%- do figures.append(daily_figure(metric, metric ~ '_daily')) -%}
        {%- endfor -%}
    {%- elif area == 'rollups' -%}
        {%- for rollup in rolled_up_figures() -%}
            {%- do figures.append(figure(
                rollup.metric ~ '_rollup', rollup.table, rollup.period, column=rollup.column,
                item=rollup.item
            )) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(figures) }}
{%- endmacro %}

{% macro figure(
    metric, table, period=none, column=none, item='null', has_twin=false, where='true',
    numerator='null', denominator='null', is_rounded=false
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
        'is_rounded': is_rounded,
    }) }}
{%- endmacro %}

{#- A figure of the metrics page, by day. -#}
{% macro daily_figure(metric, name=none, is_rounded=false) -%}
    {{ return(figure(
        name or metric, 'account_metrics_daily', 'day', column='value',
        where="metric = '" ~ metric ~ "'", is_rounded=is_rounded
    )) }}
{%- endmacro %}

{#-
    The figures that are rolled up, with the view that has the contributions of the accounts, and
    which amount of them counts.
-#}
{% macro rolled_up_figures() -%}
    {%- set rollups = [] -%}
    {%- for table, area, period, columns in [
        ('account_mrr_monthly_rollup', 'financials', 'month', [
            'starting_mrr', 'new_mrr', 'expansion_mrr', 'contraction_mrr', 'lost_mrr',
            'exchange_mrr', 'ending_mrr', 'intra_month_mrr',
        ]),
        ('account_revenue_monthly_rollup', 'financials', 'month', [
            'subscription_mrr', 'recurring_invoice_revenue', 'non_recurring_invoice_revenue',
            'unclassified_invoice_revenue', 'failed_invoice_revenue', 'payments',
        ]),
        ('account_activity_daily_rollup', 'activity', 'day', [
            'dau', 'wau', 'mau', 'product_users', 'seconds_per_active_user',
        ]),
        ('account_tickets_monthly_rollup', 'support', 'month', [
            'opened', 'closed', 'reopened', 'open_at_end', 'open_during_month',
            'closed_age_days_mean', 'open_age_days_mean', 'age_days_mean',
        ]),
        ('account_timeline_counts_rollup', 'relations', 'month', ['items']),
    ] -%}
        {%- for column in columns -%}
            {%- set metric = {
                'opened': 'tickets_opened', 'closed': 'tickets_closed',
                'reopened': 'tickets_reopened', 'open_at_end': 'tickets_open_at_end',
                'open_during_month': 'tickets_open_during_month', 'items': 'timeline_items',
            }.get(column, column) -%}
            {%- do rollups.append({
                'metric': metric,
                'source_metric': 'exchange_mrr_reporting' if metric == 'exchange_mrr' else metric,
                'amount': 'amount_reporting'
                if area == 'financials' and metric != 'exchange_mrr' else 'amount',
                'contributions': 'contributions_' ~ area,
                'table': table,
                'column': column,
                'period': period,
                'item': 'source' if column == 'items' else 'null',
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rollups) }}
{%- endmacro %}

{#- What tells records of subscriptions apart. -#}
{% macro record_item() -%}
    concat(subscription_id, ' ', start_date)
{%- endmacro %}

{#- The areas of contributions, each a model `contributions_<area>`. -#}
{% macro contribution_areas() -%}
    {{ return([
        'financials', 'retention', 'nps', 'activity', 'support', 'relations', 'health',
        'metrics_page', 'rollups',
    ]) }}
{%- endmacro %}
