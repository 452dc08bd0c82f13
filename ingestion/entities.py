"""The contract of what lands: every entity of the four domains, its columns, its key.

This module holds words only. How a file is read stands in `ingestion.sources`; types, values and
versions are the business of staging (dbt), since raw keeps everything as text.
"""

from __future__ import annotations

from dataclasses import dataclass

DOMAINS = ("crm", "billing", "events", "tickets")


@dataclass(frozen=True)
class Entity:
    """One entity of a domain.

    columns: every contract column, in the order of the specification.
    required: columns without which a file that has records is refused (a missing *value* is a
        reject of staging, not an error here).
    key: the columns that make two records versions of one another; empty where there is no key.
        A key that is not required is used where it is given (`event_id`, `response_id`).
    """

    columns: tuple[str, ...]
    required: tuple[str, ...]
    key: tuple[str, ...]


def _entity(description: str) -> Entity:
    """Read an entity from its line of the specification: `name K!` = key and required."""
    columns, required, key = [], [], []
    for part in description.split(","):
        name, _, marks = part.strip().partition(" ")
        columns.append(name)
        if "!" in marks:
            required.append(name)
        if "K" in marks:
            key.append(name)
    return Entity(tuple(columns), tuple(required), tuple(key))


_CUSTOM = "custom_label_dimensions, custom_value_dimensions, custom_event_dimensions"

ENTITIES: dict[str, dict[str, Entity]] = {
    "crm": {
        "accounts": _entity(
            "account_id K!, name !, join_date !, renewal_date, currency, tier, industry, country,"
            "website, employees, current_stage, csm_score, is_churned, inactive_time,"
            "inactive_reason, is_deleted, parent_account_id, hierarchy_label, crm_account_id,"
            "billing_account_id, support_account_id, current_mrr, current_health_score,"
            f"current_nps_score, {_CUSTOM}, assigned_csms, updated_at"
        ),
        "account_aliases": _entity("old_account_id K!, account_id !"),
        "csm_aliases": _entity("old_email K!, email !"),
        "csms": _entity("email K!, name, is_active, can_be_assigned_accounts, updated_at"),
        "account_assignments": _entity(
            "account_id K!, csm_email K!, assigned_at K!, unassigned_at"
        ),
        "contacts": _entity(
            "account_id K!, contact_id K!, first_name, last_name, email, title, phone, is_primary,"
            f"is_active, {_CUSTOM}, updated_at"
        ),
        "users": _entity(
            "account_id K!, user_id K!, first_name, last_name, email, title, product_join_date,"
            f"is_active, deactivated_at, contact_id, {_CUSTOM}, updated_at"
        ),
        "interactions": _entity(
            "interaction_id K!, account_id !, occurred_at !, added_at, type !, sub_type, origin,"
            "contact, subject, description, is_completed, added_by, updated_at"
        ),
        "notes": _entity(
            "note_id K!, account_id !, interaction_id, body !, author, created_at !, updated_at"
        ),
        "documents": _entity(
            "document_id K!, account_id !, name !, kind !, document_type, url, description,"
            "added_at, added_by"
        ),
        "deals": _entity(
            "deal_id K!, account_id !, name !, stage !, amount, currency, owner, created_at,"
            "expected_close_date, closed_at, is_won, updated_at"
        ),
        "alerts": _entity(
            "alert_id K!, account_id !, type !, name, status !, triggered_at !, closed_at,"
            "closed_by, outcome, updated_at"
        ),
        "tasks": _entity(
            "task_id K!, account_id !, alert_id, type, title, status !, priority, assignee_email,"
            "created_at !, due_date, closed_at, outcome, updated_at"
        ),
        "goals": _entity(
            "goal_id K!, account_id !, name !, status !, priority, owner_email, start_date,"
            "due_date, completed_at, progress, updated_at"
        ),
        "nps_responses": _entity(
            "account_id !, submitted_at !, score !, user_email, survey_name, comment,response_id K"
        ),
        "stage_history": _entity("account_id K!, stage K!, started_at K!, ended_at"),
        "account_metrics": _entity("account_id K!, metric K!, recorded_on K!, value !"),
    },
    "billing": {
        "subscriptions": _entity(
            "subscription_id K!, account_id !, start_date K!, end_date, expiration_date,"
            "cycle_length !, cycle_unit !, plan_code, total_revenue !, currency, is_renewal,"
            "is_end, updated_at"
        ),
        "invoices": _entity(
            "invoice_id K!, account_id, created_at !, paid_at, is_failed, currency, updated_at"
        ),
        "invoice_lines": _entity(
            "invoice_id K!, line_number K!, amount !, is_recurring, description"
        ),
        "fx_rates": _entity("rate_date K!, from_currency K!, to_currency K!, rate !"),
    },
    "events": {
        "events": _entity(
            "account_id, user_id !, created_at !, action !, session_id, product, module, feature,"
            "active_duration, time_spent, total, details, event_id K"
        ),
    },
    "tickets": {
        "tickets": _entity(
            "ticket_id K!, account_id, subject, status !, priority, type, created_at !, closed_at,"
            "requester_email, assignee, channel, url, updated_at"
        ),
        "ticket_changes": _entity("ticket_id K!, changed_at K!, field K!, old_value, new_value"),
    },
}
