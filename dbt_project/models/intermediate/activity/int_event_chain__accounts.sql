-- What the event chain was last built from: the account that each id counts under. Built when the
-- chain is, so that a night that dies half way is done again.
-- depends_on: {{ ref('int_user_day__activity') }}
-- depends_on: {{ ref('int_user_day_module__usage') }}
-- depends_on: {{ ref('int_user_day_feature__usage') }}
-- depends_on: {{ ref('int_event_chain__people') }}
-- depends_on: {{ ref('stg_native__event_outcomes') }}
-- depends_on: {{ ref('stg_native__event_exceptions') }}
select
    source_account_id,
    account_id,
    reason
from {{ ref('stg_native__account_resolution') }}
