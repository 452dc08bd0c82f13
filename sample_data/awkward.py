"""What does not belong in the data and stands in it all the same: rejects, strays, repeats.

Everything is built from records that exist, so that it looks like the rest. Rejects are few: under
five per cent of any entity. A reject that a typed Parquet column cannot hold stands in the text
file of a night.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sample_data.calendar import HISTORY
from sample_data.company import World
from sample_data.drafts import Draft, Drafts, Record

MISSING, UNPARSEABLE, RANGE = (
    "reject_required_missing",
    "reject_unparseable_value",
    "reject_out_of_range",
)
BROKEN, ORPHAN, NOWHERE, LOOP = (
    "reject_unparseable_line",
    "reject_line_without_invoice",
    "reject_alias_nowhere",
    "reject_alias_loop",
)

# entity, changes to a record that exists, case, and the night where only a text file can hold it
_SPOILED: tuple[tuple[str, dict[str, Any], str, int], ...] = (
    ("accounts", {"account_id": "ACC-9001", "name": None}, MISSING, 0),
    ("accounts", {"account_id": "ACC-9002", "join_date": "2023-13-45"}, UNPARSEABLE, 0),
    ("accounts", {"csm_score": 140}, RANGE, 0),
    ("contacts", {"contact_id": None}, MISSING, 0),
    ("users", {"user_id": None}, MISSING, 1),
    ("users", {"user_id": "u9001", "product_join_date": "soon"}, UNPARSEABLE, 2),
    ("interactions", {"interaction_id": "I-X-1", "occurred_at": None}, MISSING, 1),
    ("interactions", {"interaction_id": "I-X-2", "occurred_at": "last Tuesday"}, UNPARSEABLE, 3),
    ("notes", {"note_id": "N-X-1", "body": None}, MISSING, 0),
    ("deals", {"deal_id": "D-X-1", "amount": "TBD"}, UNPARSEABLE, 0),
    ("alerts", {"alert_id": "AL-X-1", "triggered_at": None}, MISSING, 0),
    ("tasks", {"task_id": "T-X-1", "created_at": "31/02/2024"}, UNPARSEABLE, 0),
    ("goals", {"goal_id": "G-X-1", "status": None}, MISSING, 0),
    ("nps_responses", {"score": 11, "response_id": None}, RANGE, 0),
    ("nps_responses", {"score": -1, "response_id": None}, RANGE, 0),
    ("nps_responses", {"score": "seven", "response_id": None}, UNPARSEABLE, 0),
    ("nps_responses", {"score": None, "response_id": None}, MISSING, 0),
    ("stage_history", {"stage": None}, MISSING, 0),
    ("account_metrics", {"value": "n/a", "metric": "storage_tb"}, UNPARSEABLE, 2),
    ("account_metrics", {"value": None, "metric": "storage_tb"}, MISSING, 4),
    ("subscriptions", {"subscription_id": "SUB-X-1", "cycle_length": 0}, RANGE, 1),
    ("subscriptions", {"subscription_id": "SUB-X-2", "cycle_unit": "fortnight"}, RANGE, 2),
    ("subscriptions", {"subscription_id": "SUB-X-3", "total_revenue": "1.200,00"}, UNPARSEABLE, 3),
    ("subscriptions", {"subscription_id": "SUB-X-4", "total_revenue": None}, MISSING, 4),
    ("invoices", {"invoice_id": "INV-X-1", "created_at": "yesterday"}, UNPARSEABLE, 0),
    ("invoices", {"invoice_id": "INV-X-2", "created_at": None}, MISSING, 0),
    ("invoice_lines", {"line_number": 90, "amount": "n/a"}, UNPARSEABLE, 0),
    ("invoice_lines", {"line_number": None}, MISSING, 0),
    ("tickets", {"ticket_id": "TK-X-1", "status": None}, MISSING, 0),
    ("tickets", {"ticket_id": "TK-X-2", "created_at": "n/a"}, UNPARSEABLE, 0),
    ("ticket_changes", {"field": None}, MISSING, 0),
    ("events", {"user_id": None}, MISSING, 1),
    ("events", {"action": None}, MISSING, 2),
    ("events", {"created_at": "2024-06-31T25:00:00Z"}, UNPARSEABLE, 4),
    ("events", {"active_duration": -5000, "action": "sessionSync"}, RANGE, 2),
    ("events", {"time_spent": 90_000_000, "action": "moduleEnd"}, RANGE, 4),
    ("events", {"created_at": "2099-01-01T00:00:00Z"}, RANGE, 6),
)

_BROKEN_LINES = (
    ("events", '{"account_id": "ACC-1003", "user_id": "u100', 1),
    ("events", "504 Gateway Time-out", 0),
    ("interactions", '{"interaction_id": "I-X-9", "account_id": "ACC-1004", ', 2),
    ("accounts", '{"account_id": "ACC-9003", "name": "Half a li', 0),
    ("contacts", "ACC-1002,C-X-9,Eve,Adams,eve@adams.example,,,true,true,,,,2024-01-05,x,y,z", 0),
)


def put_awkward(world: World, drafts: Drafts) -> None:
    """Put all rejects, strays and repeats; call it last, since it copies what is there."""
    for entity, changes, case, night in _SPOILED:
        _spoil(drafts, entity, changes, case, night)
    _put_bad_terms(drafts)
    for entity, line, night in _BROKEN_LINES:
        draft = Draft({}, BROKEN, line[:40], is_reject=True, raw=line)
        drafts.put_as_is(entity, _busy_slot(drafts, entity, night), draft)
    _put_orphan_lines(drafts)
    _put_bad_aliases(drafts)
    _put_strays(world, drafts)
    _put_repeats(world, drafts)
    _mark_cycle(drafts)


def _model(drafts: Drafts, entity: str, slot: int) -> Record:
    """Return a sound record to spoil: one of that slot, else the nearest earlier one."""
    for each in range(slot, HISTORY - 1, -1):
        sound = [d.record for d in drafts.of(entity, each) if not (d.case or d.raw)]
        if sound:
            return sound[len(sound) // 2]
    return drafts.tables[entity].slice(0, 1).to_pylist()[0]


def _busy_slot(drafts: Drafts, entity: str, night: int) -> int:
    """Return the text slot nearest to the wanted one that has records to stand among."""
    wanted = drafts.text_slot(entity, night)
    nights = [slot for slot in drafts.slots[entity] if slot != HISTORY and drafts.of(entity, slot)]
    if wanted == HISTORY or not nights:
        return wanted
    return min(nights, key=lambda slot: (abs(slot - wanted), slot))


def _spoil(drafts: Drafts, entity: str, changes: Record, case: str, night: int) -> None:
    slot = drafts.text_slot(entity, night)
    record = {**_model(drafts, entity, slot), **changes}
    if entity == "events":
        record["event_id"] = None
    note = ", ".join(f"{name}: {value}" for name, value in list(changes.items())[-1:])
    drafts.put_as_is(entity, slot, Draft(record, case, note, is_reject=True))


def _put_bad_terms(drafts: Drafts) -> None:
    """Put an end before its start, and an end equal to it."""
    model = _model(drafts, "subscriptions", HISTORY)
    for number, days in enumerate((-30, 0), start=5):
        record = {
            **model,
            "subscription_id": f"SUB-X-{number}",
            "end_date": model["start_date"] + timedelta(days=days),
        }
        case = "reject_end_before_start" if days else "reject_end_equals_start"
        draft = Draft(record, case, f"{days} days", is_reject=True)
        drafts.put_as_is("subscriptions", HISTORY, draft)


def _put_orphan_lines(drafts: Drafts) -> None:
    """Put lines of an invoice that never came, and those of an invoice that is itself rejected."""
    for invoice, case in (("INV-0-1", ORPHAN), ("INV-0-2", ORPHAN), ("INV-X-1", ORPHAN)):
        record = {
            "invoice_id": invoice,
            "line_number": 1,
            "amount": Decimal("149.00"),
            "is_recurring": True,
            "description": "Harbor Starter, 1 month",
        }
        draft = Draft(record, case, invoice, is_reject=True)
        drafts.put_as_is("invoice_lines", HISTORY, draft)


def _put_bad_aliases(drafts: Drafts) -> None:
    """Put an alias that points nowhere, a loop of two, and records that hang on them."""
    for old, new, case in (
        ("LEG-900001", "ACC-0000", NOWHERE),
        ("LEG-900002", "LEG-900003", LOOP),
        ("LEG-900003", "LEG-900002", LOOP),
    ):
        record = {"old_account_id": old, "account_id": new}
        draft = Draft(record, case, f"to {new}", is_reject=True)
        drafts.put_as_is("account_aliases", HISTORY, draft)
    model = _model(drafts, "notes", HISTORY)
    record = {**model, "note_id": "N-X-2", "account_id": "LEG-900001"}
    drafts.put_as_is("notes", HISTORY, Draft(record, NOWHERE, "LEG-900001", is_reject=True))


def _put_strays(world: World, drafts: Drafts) -> None:
    """Put records of unknown accounts, and of none."""
    known = datetime.combine(world.calendar.ago(90), datetime.min.time()) + timedelta(hours=9)
    for number, account in enumerate(("ACC-9041", "ACC-9042", None), start=1):
        case = "unknown_account" if account else "no_account"
        invoice = {
            "invoice_id": f"INV-U-{number}",
            "account_id": account,
            "created_at": known,
            "paid_at": known + timedelta(days=12),
            "is_failed": False,
            "currency": "USD",
            "updated_at": known + timedelta(days=12),
        }
        line = {
            "invoice_id": invoice["invoice_id"],
            "line_number": 1,
            "amount": Decimal(f"{number}49.50"),
            "is_recurring": True,
            "description": "Harbor Starter, 1 month",
        }
        drafts.put_as_is("invoices", HISTORY, Draft(invoice, case, str(account)))
        drafts.put_as_is("invoice_lines", HISTORY, Draft(line, case, str(account)))
        ticket = {
            **_model(drafts, "tickets", HISTORY),
            "ticket_id": f"TK-U-{number}",
            "account_id": account,
        }
        drafts.put_as_is("tickets", HISTORY, Draft(ticket, case, str(account)))
    term = {
        **_model(drafts, "subscriptions", HISTORY),
        "subscription_id": "SUB-U-1",
        "account_id": "ACC-9041",
        "currency": "USD",
    }
    drafts.put_as_is("subscriptions", HISTORY, Draft(term, "unknown_account", "ACC-9041"))
    # An open ticket with the close of its first life still on it: ignored, and flagged.
    open_again = {
        **_model(drafts, "tickets", HISTORY),
        "ticket_id": "TK-O-1",
        "status": "open",
        "created_at": known,
        "closed_at": known + timedelta(days=2),
        "updated_at": known + timedelta(days=3),
    }
    drafts.put_as_is("tickets", HISTORY, Draft(open_again, "open_ticket_with_close", "TK-O-1"))


def _put_repeats(world: World, drafts: Drafts) -> None:
    """Repeat some records as they are, spell one text over two lines, and deliver files twice."""
    for entity in ("nps_responses", "invoices", "invoice_lines", "tickets", "contacts"):
        sound = [d.record for d in drafts.of(entity, HISTORY) if not (d.case or d.raw)]
        for record in sound[10 :: max(1, len(sound) // 4)][:4]:
            draft = Draft(dict(record), "duplicate_record", "equal to another line")
            drafts.put_as_is(entity, HISTORY, draft)
    model = {
        **_model(drafts, "documents", HISTORY),
        "document_id": "DOC-X-1",
        "description": 'Signed copy, "final"\nwith the annex of May',
    }
    drafts.put_as_is("documents", HISTORY, Draft(model, "text_over_two_lines"))
    if world.calendar.nights > 1:
        drafts.redelivered += [
            ("events", world.calendar.night(5)),
            ("invoices", world.calendar.night(3)),
            ("tickets", world.calendar.night(2)),
        ]


def _mark_cycle(drafts: Drafts) -> None:
    """Mark the members of the hierarchy cycle: at most one of them is rejected per version."""
    for slot in sorted(drafts.slots["accounts"]):
        for draft in drafts.of("accounts", slot):
            draft.is_reject |= draft.case == "reject_hierarchy_cycle"
