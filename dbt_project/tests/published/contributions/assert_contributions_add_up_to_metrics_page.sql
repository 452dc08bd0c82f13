-- A failing row is a figure by day of the metrics page that is not what its records add up to.
{{ contributions_close('metrics_page') }}
