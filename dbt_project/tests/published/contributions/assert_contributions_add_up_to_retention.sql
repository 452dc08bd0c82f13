-- A failing row is a figure of renewals or churn that is not what its records add up to.
{{ contributions_close('retention') }}
