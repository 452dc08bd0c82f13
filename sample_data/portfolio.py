"""What the CRM knows of accounts: versions, aliases, CSMs, assignments, stages, people, metrics."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import numpy as np
import pyarrow as pa

from sample_data.calendar import at
from sample_data.company import OLD_VENDOR_DOMAIN, VENDOR_DOMAIN, Account, Csm, World
from sample_data.drafts import Drafts, Record
from sample_data.subscriptions import Term, claimed_mrr, money

Stage = tuple[str, date, date | None]

METRICS = {
    "shipments_booked": 180,
    "licensed_seats": 12,
    "api_calls": 4200,
    "storage_gb": 30,
    "carrier_connections": 6,
}
"""Account metric → its usual value for a small account."""

_METRIC_WEEKS = 60
_SIZE_FACTOR = {"small": 1, "medium": 4, "large": 18}
_REASONS = ("Price", "Went to a competitor", "Company was sold", "Missing feature", "No sponsor")


def stages(account: Account, rng: Random, as_of: date) -> list[Stage]:
    """Return the stages an account went through: (stage, from, until)."""
    marks = [("Onboarding", account.join_date)]
    day = account.join_date + timedelta(days=rng.randint(30, 75))
    stop = account.ended or as_of
    while day < stop:
        last = marks[-1][0]
        after = {"Onboarding": ("Adoption",), "Adoption": ("Growth", "Growth", "At risk")}
        marks.append((rng.choice(after.get(last, ("Adoption", "Renewal"))), day))
        day += timedelta(days=rng.randint(90, 260))
    if account.ended and not account.merged_into:
        marks.append(("Churned", account.ended))
    if account.returned:
        marks.append(("Onboarding", account.returned))
    ends = [start for _, start in marks[1:]]
    return [(stage, start, end) for (stage, start), end in zip(marks, [*ends, None], strict=True)]


def put_accounts(world: World, terms: dict[str, list[Term]], drafts: Drafts) -> None:
    """Put the versions of every account, its stages, and its assignments."""
    for account in world.accounts:
        rng = world.rng("versions", account.number)
        told = stages(account, rng, world.calendar.as_of)
        if account.life != "cycle":
            _put_stages(account, told, drafts)
        for day in _version_days(world, account, told, rng):
            record = _version(world, account, told, terms[account.account_id], day, rng)
            known = record["updated_at"]
            drafts.put("accounts", record, known, case=_case(account, day), note=account.name)
        _put_assignments(world, account, drafts)


def _case(account: Account, day: date) -> str | None:
    """Return the case an account's version stands for, if its life or its CSMs are a story."""
    if account.ended and day >= account.ended:
        if account.returned and day >= account.returned:
            return "account_came_back"
        return {"deleted": "deleted_account", "deleted_lately": "deleted_account"}.get(
            account.life, "churned_account" if account.merged_into is None else None
        )
    by_life = {
        "churn_announced": "churn_announced",
        "late_record": "account_appears_later",
        "leading_zero": "leading_zero_id",
        "plain_number": "leading_zero_id",
        "root": "hierarchy",
        "child": "hierarchy",
        "leaf": "hierarchy",
        "cycle": "reject_hierarchy_cycle",
    }
    if account.merged_into:
        return "merged_account"
    if account.life in by_life:
        return by_life[account.life]
    if account.care != "ordinary":
        return f"csm_{account.care}"
    return "account_without_currency" if account.currency is None else None


def _version_days(world: World, account: Account, told: list[Stage], rng: Random) -> list[date]:
    """Return the days on which the CRM record changed."""
    calendar = world.calendar
    if account.life == "late_record":
        return [calendar.night_date(calendar.night(4))]
    days = {account.join_date, *(start for start, _ in account.csms)}
    if account.life != "cycle":
        days |= {start for _, start, _ in told}
    if account.ended:
        days.add(account.ended)
    if account.ended is None and rng.random() < 0.8:
        days.add(max(account.join_date, calendar.ago(rng.randint(1, 14))))
    if account.life == "churn_announced":
        days.add(calendar.ago(5))
    if account.ended and account.returned is None:
        days = {day for day in days if day <= account.ended}
    return sorted(day for day in days if day < calendar.as_of)


def _version(
    world: World,
    account: Account,
    told: list[Stage],
    terms: list[Term],
    day: date,
    rng: Random,
) -> Record:
    """Return the account's record as it stood after the changes of a day."""
    is_gone = bool(account.ended) and day >= account.ended
    is_back = bool(account.returned) and day >= account.returned
    is_churned = is_gone and not is_back and account.merged_into is None
    is_churned = is_churned and not account.life.startswith("deleted")
    left = account.ended if is_churned else None
    if account.life == "churn_announced" and day >= world.calendar.ago(5):
        is_churned, left = True, world.calendar.as_of + timedelta(days=30)
    code = account.account_id.removeprefix("ACC-")
    renewals = [t.expiration for t in terms if t.start <= day and (t.expiration or day) > day]
    stage = [name for name, start, _ in told if start <= day]
    updated_at = at(day, rng, 5, 21)
    return {
        "account_id": account.account_id,
        "name": account.name,
        "join_date": account.join_date,
        "renewal_date": min(renewals, default=None),
        "currency": account.currency,
        "tier": {"large": "Tier 1", "medium": "Tier 2", "small": "Tier 3"}[account.size],
        "industry": account.industry,
        "country": account.country.name,
        "website": f"https://www.{account.domain}",
        "employees": len(account.users) * (9 + account.number % 23),
        "current_stage": stage[-1] if stage else "Onboarding",
        "csm_score": rng.randint(35, 98),
        "is_churned": is_churned,
        "inactive_time": datetime(left.year, left.month, left.day, 9, 30) if left else None,
        "inactive_reason": rng.choice(_REASONS) if left else None,
        "is_deleted": is_gone and account.life.startswith("deleted"),
        "parent_account_id": account.parent_id,
        "hierarchy_label": account.relation,
        "crm_account_id": f"crm-{account.number + 70001}",
        "billing_account_id": f"cus-{code.lower()}",
        "support_account_id": f"org-{account.number + 400}" if account.number % 7 else None,
        # The CRM's own claim, refreshed by hand and now and then forgotten.
        "current_mrr": money(claimed_mrr(terms, day if rng.random() < 0.9 else account.join_date)),
        "current_health_score": rng.randint(20, 95),
        "current_nps_score": rng.randint(0, 10) if rng.random() < 0.6 else None,
        "custom_label_dimensions": [
            {"key": "Region", "value": account.country.region},
            {"key": "Edition", "value": ("Sea", "Road", "Rail & Road")[account.number % 3]},
        ],
        "custom_value_dimensions": [{"key": "Depots", "value": 1 + account.number % 9}],
        "custom_event_dimensions": [
            {"key": "Go-live", "value": (account.join_date + timedelta(days=45)).isoformat()}
        ],
        # Marking an account as churned may take its CSMs away.
        "assigned_csms": [] if is_churned and account.number % 2 else _listed(account, day),
        "updated_at": updated_at,
    }


def _listed(account: Account, day: date) -> list[dict[str, str]]:
    """Return the CSM list as the CRM shows it: in any case, with old addresses, even twice."""
    emails = [csm.email for csm in account.csms_on(day)]
    if account.care == "listed_twice":
        emails.append(f" {emails[0].upper()} ")
    if account.care == "old_address":
        emails[0] = emails[0].replace(VENDOR_DOMAIN, OLD_VENDOR_DOMAIN)
    return [{"email": email} for email in emails]


def _put_stages(account: Account, told: list[Stage], drafts: Drafts) -> None:
    for stage, start, end in told:
        record = {
            "account_id": account.account_id,
            "stage": stage,
            "started_at": start,
            "ended_at": None,
        }
        drafts.put("stage_history", record, start)
        if end is not None:
            drafts.put("stage_history", {**record, "ended_at": end}, end)


def _put_assignments(world: World, account: Account, drafts: Drafts) -> None:
    """Put the assignment records of the accounts that moved to the assignment screen."""
    if account.care != "moved_by_record" and (account.number % 4 or account.ended):
        return
    # From this day on the screen is used; who was assigned before stands in the CRM's lists only.
    since = max(world.calendar.ago(400), account.join_date)
    changes = [(since, account.csms_on(since))]
    changes += [(day, team) for day, team in account.csms if day > since]
    open_since: dict[str, date] = {}
    for day, team in changes:
        emails = [csm.email for csm in team]
        for email in [each for each in open_since if each not in emails]:
            _assignment(account, email, open_since.pop(email), day, drafts)
        for email in emails:
            if email not in open_since:
                open_since[email] = day
                _assignment(account, email, day, None, drafts)


def _assignment(
    account: Account, email: str, since: date, until: date | None, drafts: Drafts
) -> None:
    record = {
        "account_id": account.account_id,
        "csm_email": email,
        "assigned_at": datetime(since.year, since.month, since.day, 8),
        "unassigned_at": datetime(until.year, until.month, until.day, 8) if until else None,
    }
    case = "csm_reassigned_by_record" if until else None
    drafts.put("account_assignments", record, until or since, case=case, note=account.name)


def put_aliases(world: World, drafts: Drafts) -> None:
    """Put the ids of the old CRM (two for every other account) and the merged accounts."""
    since = world.calendar.history_start
    for account in world.accounts:
        if account.life == "cycle":
            continue
        for copy in range(1 + account.number % 2):
            old = f"LEG-{copy}{account.number:05d}"
            record = {"old_account_id": old, "account_id": account.account_id}
            drafts.put("account_aliases", record, since)
        if account.merged_into and account.ended:
            record = {"old_account_id": account.account_id, "account_id": account.merged_into}
            drafts.put(
                "account_aliases", record, account.ended, case="merged_account", note=account.name
            )


def put_csms(world: World, drafts: Drafts) -> None:
    """Put the customer success team, and the addresses from before the company changed its name."""
    start = world.calendar.history_start
    for index, csm in enumerate(world.csms):
        known = datetime(start.year, start.month, start.day, 8) + timedelta(days=7 * (index % 20))
        drafts.put("csms", _csm(csm, known, is_active=True), known)
        if index % 2 == 0:
            old = csm.email.replace(VENDOR_DOMAIN, OLD_VENDOR_DOMAIN)
            case = "csm_alias" if index < 4 else None
            drafts.put("csm_aliases", {"old_email": old, "email": csm.email}, known, case=case)
        if csm.left:
            gone = datetime(csm.left.year, csm.left.month, csm.left.day, 17)
            drafts.put("csms", _csm(csm, gone, is_active=False), gone, case="csm_deactivated")


def _csm(csm: Csm, known: datetime, *, is_active: bool) -> Record:
    return {
        "email": csm.email,
        "name": csm.name,
        "is_active": is_active,
        "can_be_assigned_accounts": is_active and not csm.is_lead,
        "updated_at": known,
    }


def put_metrics(world: World, drafts: Drafts) -> None:
    """Put the weekly account metrics: the backfill as one Arrow table, the nights as records."""
    calendar = world.calendar
    names = list(METRICS)
    rng = np.random.Generator(np.random.PCG64([abs(world.seed), 11]))
    parts: list[pa.Table] = []
    for account in world.accounts:
        last = min(account.spans[-1][1], calendar.as_of)
        weekday = account.number % 7
        first = calendar.ago(7 * _METRIC_WEEKS)
        first += timedelta(days=(weekday - first.weekday()) % 7)
        days = [first + timedelta(days=7 * week) for week in range(_METRIC_WEEKS + 1)]
        days = [day for day in days if account.join_date <= day < last]
        if not days or account.life == "cycle":
            continue
        slope = {"flat": 0, "growing": 6, "declining": -5}[account.trend]
        weeks = np.arange(len(days))[:, None]
        usual = np.array(list(METRICS.values())) * _SIZE_FACTOR[account.size] * 100
        noise = rng.integers(850, 1151, size=(len(days), len(names)))
        cents = usual * np.maximum(1000 + slope * weeks, 200) * noise // 1_000_000
        old = sum(day < calendar.first_night for day in days)
        if old:
            parts.append(_metric_table(account, days[:old], names, cents[:old]))
        for day, row in zip(days[old:], cents[old:], strict=True):
            for name, value in zip(names, row, strict=True):
                record = {
                    "account_id": account.account_id,
                    "metric": name,
                    "recorded_on": day,
                    "value": money(int(value)),
                }
                drafts.put("account_metrics", record, day)
    drafts.tables["account_metrics"] = pa.concat_tables(parts)


def _metric_table(
    account: Account, days: list[date], names: list[str], cents: np.ndarray
) -> pa.Table:
    count = len(names)
    return pa.table(
        {
            "account_id": pa.repeat(account.account_id, len(days) * count),
            "metric": pa.array(names * len(days)),
            "recorded_on": pa.array([day for day in days for _ in range(count)], pa.date32()),
            "value": pa.array([money(int(each)) for each in cents.ravel()], pa.decimal128(18, 2)),
        }
    )
