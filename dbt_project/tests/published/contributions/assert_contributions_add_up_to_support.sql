-- A failing row is a figure of tickets that is not what the tickets and their changes add up to.
{{ contributions_close('support') }}
