-- A failing row is an NPS, of any day of the history, that is not what its responses come to.
{{ contributions_close('nps') }}
