-- What the kept figures of accounts and days were last computed from, apart from events: churn
-- dates, and what CRM says of users. Built when they are.
-- depends_on: {{ ref('int_account_day__active_users') }}
-- depends_on: {{ ref('int_user_day__rank') }}
{{ people_of_the_chain() }}
