"""What of each raw table goes with an account or a person, and what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingestion.tables import PROVENANCE

# Table → kind of the handle that records of another table hang on it by.
DEPENDED_ON = {"invoices": "invoice", "tickets": "ticket"}


@dataclass(frozen=True)
class Rules:
    """What of a table goes.

    removed: (kind, column of the scope or None, column of the value): a record that has such a
    handle goes. keyed: column → (kind, whether it is replaced; else it is emptied). texts: columns
    in which handles are looked for. emptied: column → columns that are emptied where it changes.
    """

    removed: Sequence[tuple[str, str | None, str]] = ()
    keyed: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    texts: Sequence[str] = ()
    emptied: Mapping[str, Sequence[str]] = field(default_factory=dict)


def text_columns(columns: Sequence[str]) -> list[str]:
    """The columns in which handles are looked for: all but ids, which are compared as a whole."""
    return [
        column
        for column in columns
        if column not in PROVENANCE
        and (not column.endswith("_id") or column in ("session_id", "event_id"))
    ]


# What stays of a user, under a pseudonym: what counts of product users are made of.
_USER_STAYS = {
    *("account_id", "user_id", "product_join_date", "is_active", "deactivated_at", "updated_at"),
    *PROVENANCE,
}


def raw_rules(table: str, columns: Sequence[str]) -> Rules:
    """What of a raw table goes. `columns` are all that it has."""
    present = set(columns)
    removed: list[tuple[str, str | None, str]] = [
        ("account", None, column)
        for column in ("account_id", "old_account_id")
        if column in present
    ]
    keyed = {}
    emptied: dict[str, Sequence[str]] = {}
    if "user_id" in present:
        keyed["user_id"] = ("user", True)
    if "parent_account_id" in present:
        keyed["parent_account_id"] = ("account", False)
    if table == "users":
        keyed["contact_id"] = ("contact", False)
        emptied["user_id"] = [column for column in columns if column not in _USER_STAYS]
    elif table == "contacts":
        removed.append(("contact", "account_id", "contact_id"))
    elif table == "invoice_lines":
        removed.append(("invoice", None, "invoice_id"))
    elif table == "ticket_changes":
        removed.append(("ticket", None, "ticket_id"))
    elif table == "interactions":
        keyed["contact"] = ("contact", True)
        emptied["contact"] = ("subject", "description")
    elif table == "tickets":
        emptied["requester_email"] = ("subject",)
    elif table == "nps_responses":
        emptied["user_email"] = ("comment",)
    elif table == "unparsed_lines":
        emptied["record"] = ("record",)
    return Rules(removed, keyed, text_columns(columns), emptied)
