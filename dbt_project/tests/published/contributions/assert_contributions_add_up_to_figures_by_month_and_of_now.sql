-- A failing row is a figure of money, renewals, tickets, tasks, alerts, deals or the timeline that
-- is not what its records add up to. Figures by day are closed by the release checks, which can
-- name the last full day.
{{ contributions_close(['financials', 'retention', 'support', 'relations']) }}
