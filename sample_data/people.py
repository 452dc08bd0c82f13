"""Contacts in the CRM and product users, some of whom are the same person."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sample_data import names
from sample_data.calendar import at
from sample_data.company import Account, User, World
from sample_data.drafts import Drafts, Record


def put_people(world: World, drafts: Drafts) -> None:
    """Put the contacts and the listed product users of every account."""
    for account in world.accounts:
        if account.life == "cycle":
            continue
        rng = world.rng("people", account.number)
        _put_contacts(world, account, rng, drafts)
        for user in account.users:
            if user.is_listed:
                _put_user(world, account, user, rng, drafts)


def _put_contacts(world: World, account: Account, rng: Random, drafts: Drafts) -> None:
    """Put contacts: the first of them are also product users, the others never log in."""
    both = [user for user in account.users[: rng.randint(1, 3)] if user.is_listed]
    others = [
        names.person(rng, account.country.cultures, senior=True)
        for _ in range(rng.randint(1, 2 if account.size == "small" else 5))
    ]
    code = account.account_id.removeprefix("ACC-")
    people = [(user.person, user.email) for user in both]
    people += [(person, f"{person.handle}@{account.domain}") for person in others]
    for number, (person, email) in enumerate(people, start=1):
        contact_id = f"C-{code}-{number}"
        known = at(account.join_date + timedelta(days=rng.randint(0, 30)), rng)
        record = {
            "account_id": account.account_id,
            "contact_id": contact_id,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": email,
            "title": person.title,
            "phone": _phone(rng, account),
            "is_primary": number == 1,
            "is_active": True,
            "custom_label_dimensions": [
                {"key": "Role", "value": rng.choice(("Sponsor", "Champion", "User", "Buyer"))}
            ],
            "updated_at": known,
        }
        case = None
        if number <= len(both):
            both[number - 1].contact_id = contact_id
            case = "contact_is_user"
        drafts.put("contacts", record, known, case=case, note=account.name)
        if rng.random() < 0.25:
            _change_contact(world, record, known, rng, drafts)


def _change_contact(
    world: World, record: Record, known: datetime, rng: Random, drafts: Drafts
) -> None:
    days = max((world.calendar.as_of - known.date()).days, 2)
    # Half of the changes are recent, so that the nights have something to bring.
    later = rng.randint(1, days) if rng.random() < 0.5 else days - rng.randint(0, 8)
    changed = at(known.date() + timedelta(days=max(later, 1)), rng)
    change = {"is_active": False} if rng.random() < 0.4 else {"title": "Head of Operations"}
    drafts.put("contacts", {**record, **change, "updated_at": changed}, changed)


def _phone(rng: Random, account: Account) -> str | None:
    """Return a number of the ranges kept free for fiction, or none."""
    last = rng.randint(100, 199)
    if account.country.name in ("United States", "Canada"):
        return f"+1 202-555-0{last}"
    if account.country.name == "United Kingdom":
        return f"+44 20 7946 0{last + 700}"
    return None


def _put_user(world: World, account: Account, user: User, rng: Random, drafts: Drafts) -> None:
    known = at(user.joined, rng)
    record = {
        "account_id": account.account_id,
        "user_id": user.user_id,
        "first_name": user.person.first_name,
        "last_name": user.person.last_name,
        "email": user.email,
        "title": user.person.title,
        "product_join_date": user.joined,
        "is_active": True,
        "deactivated_at": None,
        "contact_id": user.contact_id,
        "custom_label_dimensions": [{"key": "Licence", "value": rng.choice(("Full", "Light"))}],
        "updated_at": known,
    }
    drafts.put("users", record, known)
    if user.deactivated:
        gone = at(user.deactivated, rng)
        change = {
            "is_active": False,
            "deactivated_at": None if user.loses_date else gone,
            "updated_at": gone,
        }
        case = "user_inactive_without_date" if user.loses_date else None
        drafts.put("users", {**record, **change}, gone, case=case, note=account.name)
    elif rng.random() < 0.02:
        changed = at(world.calendar.ago(rng.randint(1, 7)), rng)
        if changed > known:
            title = {"title": "Team Lead", "updated_at": changed}
            drafts.put("users", {**record, **title}, changed)
