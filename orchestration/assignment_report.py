"""What `account360 assign` tells: plans, what was landed, and who looks after which accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestration.assignment import Account, Book, Csm, Landed, Plan
from orchestration.report import table
from settings.assignment_rules import AssignmentRule


def rule_text(rule: AssignmentRule, plan: Plan) -> str:
    """What a rule changes, account by account, with the values that its conditions asked for."""
    conditions = [condition.text for condition in rule.conditions]
    head = [
        ["if", " and ".join(conditions)],
        _verb(rule),
        ["from", f"{plan.day} on, judged as of {plan.as_of}"],
    ]
    lines = [f"{rule.name}: {rule.title}", *_indented(head), "", *_changes(plan, conditions)]
    return "\n".join(lines)


def single_text(plan: Plan, account_id: str, csm: str) -> str:
    """What `add` or `remove` of one CSM changes."""
    if plan.changes:
        return "\n".join(_changes(plan, []))
    state = "is assigned already" if plan.what == "add" else "is not assigned"
    return f"Nothing changes: {csm.strip().lower()} {state} to {account_id} on {plan.day}."


def landed_text(landed: Landed, plan: Plan) -> str:
    """Where the records of a plan stand, and when they count."""
    lines = [
        f"Landed {_count(landed.records, 'record')} in {landed.location}.",
        f"They count from the night of {landed.first_as_of} on "
        f"(account360 run --as-of {landed.first_as_of}).",
    ]
    if listed := sum(change.ends_list for change in plan.changes):
        lines.append(
            f"The CSMs of {_count(listed, 'account')} stood in the source's list alone: what it "
            f"said before {plan.day} stays, from then on it is asked no more."
        )
    return "\n".join(lines)


def list_text(book: Book, csms: Iterable[Csm], accounts: Sequence[Account]) -> str:
    """CSMs with their number of accounts, and accounts with their CSMs, as published."""
    team = [["e-mail", "name", "accounts", "can be assigned accounts"]]
    team += [[csm.email, csm.name or "-", f"{csm.accounts:,}", _may(csm)] for csm in csms]
    rows = [["account", "name", "tier", "stage", "", "CSMs"]]
    rows += [
        [
            *(account.account_id, account.name, account.tier or "-", account.stage or "-"),
            "churned" if account.is_churned else "",
            ", ".join(account.csms) or "-",
        ]
        for account in accounts
    ]
    lines = [f"CSMs, as of {book.as_of}", *_indented(team, numbers={2}), ""]
    lines += [f"{_count(len(accounts), 'account')}", *(_indented(rows) if accounts else [])]
    if book.pending:
        waiting = _count(len(book.pending), "record")
        lines += ["", f"Not in it yet: {waiting} that `account360 assign` landed since."]
    return "\n".join(lines)


def _verb(rule: AssignmentRule) -> list[str]:
    leaving = "everybody" if rule.unassigns_all else ", ".join(rule.unassign)
    arriving = ", ".join(rule.assign)
    if leaving and arriving:
        return ["shift", f"from {leaving} to {arriving}"]
    return ["assign", arriving] if arriving else ["unassign", leaving]


def _changes(plan: Plan, conditions: Sequence[str]) -> list[str]:
    rest = plan.matching - len(plan.changes)
    if not plan.changes:
        return [f"Nothing changes: {_count(rest, 'account')} matched, and need no change."]
    rows = [["account", "name", *conditions, "CSMs", "assigned", "unassigned"]]
    for change in plan.changes:
        csms = (change.before, change.assigned, change.unassigned)
        said = (", ".join(emails) or "-" for emails in csms)
        rows.append([change.account_id, change.name, *change.facts, *said])
    assigned = sum(len(change.assigned) for change in plan.changes)
    unassigned = sum(len(change.unassigned) for change in plan.changes)
    total = f"{_count(len(plan.changes), 'account')}: {assigned} assigned, {unassigned} unassigned"
    more = f" {_count(rest, 'account')} more matched, and need no change." if rest else ""
    return [*_indented(rows), "", f"{total}.{more}"]


def _may(csm: Csm) -> str:
    if csm.refusal:
        return f"no: {csm.refusal}"
    return "yes" if csm.can_be_assigned_accounts else "yes (the source does not say)"


def _indented(rows: Sequence[Sequence[str]], numbers: set[int] | None = None) -> list[str]:
    return [f"  {line}" for line in table(rows, numbers=numbers or set())]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
