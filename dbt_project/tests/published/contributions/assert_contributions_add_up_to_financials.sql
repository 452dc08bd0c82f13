-- A failing row is a figure of MRR, invoices or payments that is not what its records add up to.
{{ contributions_close('financials') }}
