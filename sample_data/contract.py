"""The landing contract as the generator writes it: columns, keys and files per entity.

Columns stand in the order of the sources contract. This room may not import the ingestion room, so
the list is written once more here; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

DIMENSIONS = ("custom_label_dimensions", "custom_value_dimensions", "custom_event_dimensions")


@dataclass(frozen=True)
class Layout:
    """How one entity lands: its folder, columns, key, and the formats of backfill and nights.

    `styles` are the ways its instants are written in text files (see `landing.instant_text`), and
    `keeps_versions` says that the backfill carries every version and not only the current one.
    """

    domain: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    history: str
    nightly: tuple[str, ...]
    styles: tuple[str, ...] = ("z",)
    keeps_versions: bool = False
    required: tuple[str, ...] = ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LAYOUTS: dict[str, Layout] = {
    "accounts": Layout(
        "crm",
        (
            *_words(
                "account_id name join_date renewal_date currency tier industry country website"
                " employees current_stage csm_score is_churned inactive_time inactive_reason"
                " is_deleted parent_account_id hierarchy_label crm_account_id billing_account_id"
                " support_account_id current_mrr current_health_score current_nps_score"
            ),
            *DIMENSIONS,
            "assigned_csms",
            "updated_at",
        ),
        ("account_id",),
        "jsonl.gz",
        ("jsonl",),
        ("z", "epoch"),
        keeps_versions=True,
        required=("account_id", "name", "join_date"),
    ),
    "account_aliases": Layout(
        "crm", _words("old_account_id account_id"), ("old_account_id",), "csv", ("csv",)
    ),
    "csm_aliases": Layout("crm", _words("old_email email"), ("old_email",), "csv", ("csv",)),
    "csms": Layout(
        "crm",
        _words("email name is_active can_be_assigned_accounts updated_at"),
        ("email",),
        "jsonl",
        ("jsonl",),
        keeps_versions=True,
        required=("email",),
    ),
    "account_assignments": Layout(
        "crm",
        _words("account_id csm_email assigned_at unassigned_at"),
        ("account_id", "csm_email", "assigned_at"),
        "csv",
        ("csv",),
    ),
    "contacts": Layout(
        "crm",
        (
            *_words(
                "account_id contact_id first_name last_name email title phone is_primary is_active"
            ),
            *DIMENSIONS,
            "updated_at",
        ),
        ("account_id", "contact_id"),
        "csv.gz",
        ("csv",),
        ("z", "bare"),
    ),
    "users": Layout(
        "crm",
        (
            *_words(
                "account_id user_id first_name last_name email title product_join_date is_active"
                " deactivated_at contact_id"
            ),
            *DIMENSIONS,
            "updated_at",
        ),
        ("account_id", "user_id"),
        "parquet",
        ("jsonl",),
        ("z", "epoch"),
        required=("account_id", "user_id"),
    ),
    "interactions": Layout(
        "crm",
        _words(
            "interaction_id account_id occurred_at added_at type sub_type origin contact subject"
            " description is_completed added_by updated_at"
        ),
        ("interaction_id",),
        "parquet",
        ("jsonl",),
        ("z", "+02:00", "-05:00", "epoch", "bare"),
        required=("interaction_id", "account_id", "occurred_at", "type"),
    ),
    "notes": Layout(
        "crm",
        _words("note_id account_id interaction_id body author created_at updated_at"),
        ("note_id",),
        "jsonl.gz",
        ("jsonl.gz",),
        ("z", "+01:00"),
        required=("note_id", "account_id", "body", "created_at"),
    ),
    "documents": Layout(
        "crm",
        _words("document_id account_id name kind document_type url description added_at added_by"),
        ("document_id",),
        "csv",
        ("csv",),
    ),
    "deals": Layout(
        "crm",
        _words(
            "deal_id account_id name stage amount currency owner created_at expected_close_date"
            " closed_at is_won updated_at"
        ),
        ("deal_id",),
        "jsonl",
        ("jsonl",),
        ("z", "-08:00"),
        keeps_versions=True,
        required=("deal_id", "account_id", "name", "stage"),
    ),
    "alerts": Layout(
        "crm",
        _words(
            "alert_id account_id type name status triggered_at closed_at closed_by outcome"
            " updated_at"
        ),
        ("alert_id",),
        "jsonl",
        ("jsonl",),
        ("epoch", "z"),
        required=("alert_id", "account_id", "type", "status", "triggered_at"),
    ),
    "tasks": Layout(
        "crm",
        _words(
            "task_id account_id alert_id type title status priority assignee_email created_at"
            " due_date closed_at outcome updated_at"
        ),
        ("task_id",),
        "csv.gz",
        ("csv.gz",),
        ("z", "bare", "+02:00"),
    ),
    "goals": Layout(
        "crm",
        _words(
            "goal_id account_id name status priority owner_email start_date due_date completed_at"
            " progress updated_at"
        ),
        ("goal_id",),
        "jsonl",
        ("jsonl",),
        required=("goal_id", "account_id", "name", "status"),
    ),
    "nps_responses": Layout(
        "crm",
        _words("account_id submitted_at score user_email survey_name comment response_id"),
        (),
        "csv",
        ("csv",),
        ("z", "epoch", "+05:30"),
    ),
    "stage_history": Layout(
        "crm",
        _words("account_id stage started_at ended_at"),
        ("account_id", "stage", "started_at"),
        "csv",
        ("csv",),
    ),
    "account_metrics": Layout(
        "crm",
        _words("account_id metric recorded_on value"),
        ("account_id", "metric", "recorded_on"),
        "parquet",
        ("csv",),
    ),
    "subscriptions": Layout(
        "billing",
        _words(
            "subscription_id account_id start_date end_date expiration_date cycle_length"
            " cycle_unit plan_code total_revenue currency is_renewal is_end updated_at"
        ),
        ("subscription_id", "start_date"),
        "parquet",
        ("jsonl",),
        ("z", "-05:00"),
        required=_words(
            "subscription_id account_id start_date cycle_length cycle_unit total_revenue"
        ),
    ),
    "invoices": Layout(
        "billing",
        _words("invoice_id account_id created_at paid_at is_failed currency updated_at"),
        ("invoice_id",),
        "csv.gz",
        ("csv",),
        ("z", "+02:00", "bare", "-05:00"),
    ),
    "invoice_lines": Layout(
        "billing",
        _words("invoice_id line_number amount is_recurring description"),
        ("invoice_id", "line_number"),
        "csv.gz",
        ("csv", "jsonl"),
        required=("invoice_id", "line_number", "amount"),
    ),
    "fx_rates": Layout(
        "billing",
        _words("rate_date from_currency to_currency rate"),
        ("rate_date", "from_currency", "to_currency"),
        "csv",
        ("csv",),
    ),
    "events": Layout(
        "events",
        _words(
            "account_id user_id created_at action session_id product module feature"
            " active_duration time_spent total details event_id"
        ),
        (),
        "parquet",
        ("jsonl", "jsonl.gz", "jsonl", "csv", "jsonl", "csv.gz", "jsonl"),
        ("z", "+02:00"),
        required=("account_id", "user_id", "created_at", "action"),
    ),
    "tickets": Layout(
        "tickets",
        _words(
            "ticket_id account_id subject status priority type created_at closed_at"
            " requester_email assignee channel url updated_at"
        ),
        ("ticket_id",),
        "jsonl.gz",
        ("jsonl",),
        ("z", "+02:00", "-08:00", "bare"),
        required=("ticket_id", "status", "created_at"),
    ),
    "ticket_changes": Layout(
        "tickets",
        _words("ticket_id changed_at field old_value new_value"),
        ("ticket_id", "changed_at", "field"),
        "csv.gz",
        ("csv",),
        ("z", "+02:00"),
    ),
}
"""Entity → how it lands."""
