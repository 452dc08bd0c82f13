-- A failing row is a figure of tasks, alerts, deals, the timeline or the hierarchy that is not what its
-- records add up to.
{{ contributions_close('relations') }}
