-- A failing row is a health score, or a part of it, that is not what its components give.
{{ contributions_close('health') }}
