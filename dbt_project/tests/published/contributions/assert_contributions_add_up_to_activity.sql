-- A failing row is a figure of activity or use that is not what the days of its users add up to.
{{ contributions_close('activity') }}
