"""The world model: Harbor's customers, their people, and the customer success team.

What an account *is* (size, story, dates, hierarchy, CSMs) is decided here; the other modules tell
what happened to it. The first accounts have scripted lives, so that every awkward case exists at
every scale; the rest are ordinary customers drawn by weight.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from sample_data import names
from sample_data.calendar import Calendar, stream

VENDOR_DOMAIN = "harbor.example"
OLD_VENDOR_DOMAIN = "harborhq.example"

LIVES = (
    *("root", "child", "child", "child", "leaf", "leaf"),
    *("cycle", "cycle", "cycle"),
    *("merged", "merged_first", "merged_second", "merged_lately"),
    *("deleted", "deleted_lately"),
    *("churned", "churned", "churned", "churned_lately", "churn_announced"),
    *("came_back", "came_back"),
    *("late_record", "leading_zero", "plain_number"),
)
"""Scripted lives of the first accounts; all others are plain customers or random churners."""

BILLING_STORIES = (
    *("plan_change", "downgrade", "overlap", "lapsed", "lapsed_and_back", "lapsed_and_new"),
    *("renewed_in_time", "renewed_early", "renewed_late", "renewed_in_grace", "renewed_elsewhere"),
    *("addon_included", "addon_separate", "trial_converted", "trial_only", "paid_trial", "free"),
    *("is_end_record", "negative_amount", "within_one_month", "foreign_currency"),
    *("currency_switch", "provisional_loss", "starts_later", "odd_cycles", "open_renewal"),
    "grace_across_subscriptions",
)
"""Scripted subscriptions, told by the accounts that follow the scripted lives."""

CARE_STORIES = (
    *("six_csms", "nobody", "listed_twice", "old_address", "moved_by_list", "moved_by_record"),
    *("inactive_csm", "three_csms"),
)
"""Scripted CSM assignments, told by the accounts that follow the scripted lives."""

MINIMUM_ACCOUNTS = 64
DEFAULT_ACCOUNTS = 120
_SIZES = {"large": (30, 100), "medium": (8, 22), "small": (2, 7)}
_SCRIPTED = len(LIVES) + len(BILLING_STORIES)
_MERGE_TARGETS = {
    "merged": _SCRIPTED + 1,
    "merged_first": LIVES.index("merged_second"),
    "merged_second": _SCRIPTED + 2,
    "merged_lately": _SCRIPTED + 3,
}
_RELATIONS = {"child": "Subsidiary", "leaf": "Regional branch", "cycle": "Affiliate"}


@dataclass
class User:
    """A product user of one account; `is_listed` is false for one whom the CRM does not know."""

    user_id: str
    person: names.Person
    email: str
    joined: date
    deactivated: date | None = None
    contact_id: str | None = None
    is_listed: bool = True
    loses_date: bool = False


@dataclass
class Csm:
    """A customer success manager; `left` is the day the account was deactivated."""

    email: str
    name: str
    left: date | None = None
    is_lead: bool = False


@dataclass
class Account:
    """One account of the CRM, with its story. `spans` are the [from, to) days it is a customer."""

    number: int
    account_id: str
    name: str
    domain: str
    industry: str
    country: names.Country
    size: str
    life: str
    billing: str
    care: str
    join_date: date
    trend: str
    spans: list[tuple[date, date]]
    currency: str | None
    parent_id: str | None = None
    relation: str | None = None
    merged_into: str | None = None
    ended: date | None = None
    returned: date | None = None
    users: list[User] = field(default_factory=list)
    csms: list[tuple[date, list[Csm]]] = field(default_factory=list)

    @property
    def billed_in(self) -> str:
        """The currency of its bills: its own, else the reporting currency."""
        return self.currency or "USD"

    def is_customer_on(self, day: date) -> bool:
        """Whether the account is a customer that day."""
        return any(start <= day < end for start, end in self.spans)

    def csms_on(self, day: date) -> list[Csm]:
        """Return the CSMs assigned that day."""
        current: list[Csm] = []
        for start, team in self.csms:
            if start <= day:
                current = team
        return current


@dataclass
class World:
    """Everything the record makers need to know."""

    seed: int
    scale: float
    calendar: Calendar
    accounts: list[Account]
    csms: list[Csm]
    event_factor: float

    def rng(self, *purpose: object) -> Random:
        """Return the random stream of one purpose."""
        return stream(self.seed, *purpose)


def build_world(seed: int, scale: float, calendar: Calendar) -> World:
    """Make the accounts, users and CSMs of a demo of that scale (1.0: about 120 accounts)."""
    if not scale > 0:
        raise ValueError(f"scale must be greater than 0, not {scale}")
    wanted = round(DEFAULT_ACCOUNTS * scale)
    count = max(MINIMUM_ACCOUNTS, wanted)
    world = World(seed, scale, calendar, [], [], min(1.0, max(0.1, wanted / count)))
    world.csms = _team(world, count)
    taken: set[str] = set()
    for number in range(count):
        world.accounts.append(_account(world, number, taken))
    _link(world)
    next_user = 10001
    for account in world.accounts:
        next_user = _staff(world, account, next_user)
        _assign(world, account)
    _share_user(world)
    return world


def _team(world: World, accounts: int) -> list[Csm]:
    rng = world.rng("csms")
    cultures = tuple(sorted({each for land in names.COUNTRIES for each in land.cultures}))
    team: list[Csm] = []
    handles: set[str] = set()
    while len(team) < max(12, accounts // 10):
        person = names.person(rng, cultures)
        if person.handle not in handles:
            handles.add(person.handle)
            team.append(Csm(f"{person.handle}@{VENDOR_DOMAIN}", person.full_name))
    team[-1].left = world.calendar.ago(200)
    team[-2].left = world.calendar.ago(3)
    team[-3].is_lead = True
    return team


def _life(rng: Random, number: int) -> str:
    if number < len(LIVES):
        return LIVES[number]
    is_drawn = number > max(_MERGE_TARGETS.values())
    return "churned" if is_drawn and rng.random() < 0.08 else "customer"


def _story(stories: tuple[str, ...], number: int) -> str:
    index = number - len(LIVES)
    return stories[index] if 0 <= index < len(stories) else "ordinary"


def _account_id(number: int, life: str) -> str:
    scripted = {"leading_zero": "0012", "plain_number": "12"}
    return scripted.get(life, f"ACC-{1001 + number}")


def _account(world: World, number: int, taken: set[str]) -> Account:
    rng = world.rng("account", number)
    life = _life(rng, number)
    country = names.COUNTRIES[6] if life in ("root", "child") else names.country(rng)
    billing = _story(BILLING_STORIES, number)
    if life == "churn_announced":
        billing = "announced_end"
    if billing == "foreign_currency":
        country = names.COUNTRIES[7]
    if billing == "currency_switch":
        country = names.COUNTRIES[5]
    industry = rng.choice(names.INDUSTRY_NAMES)
    name, domain = names.company(rng, industry, country)
    while domain in taken:
        name, domain = names.company(rng, industry, country)
    taken.add(domain)
    join_date, spans = _dates(world.calendar, rng, life, billing)
    account = Account(
        number=number,
        account_id=_account_id(number, life),
        name=name,
        domain=domain,
        industry=industry,
        country=country,
        size=_size(rng, number, life),
        life=life,
        billing=billing,
        care="six_csms" if life == "root" else _story(CARE_STORIES, number),
        join_date=join_date,
        trend=rng.choices(("flat", "growing", "declining"), weights=(5, 3, 2))[0],
        spans=spans,
        currency=None if number % 29 == 28 else country.currency,
    )
    if spans[0][1] <= world.calendar.last_day:
        account.ended = spans[0][1]
    if len(spans) > 1:
        account.returned = spans[1][0]
    return account


def _size(rng: Random, number: int, life: str) -> str:
    if life in ("root", "churn_announced"):
        return "large"
    if life in ("child", "came_back", "churned_lately", "late_record"):
        return "medium"
    if life in ("leaf", "cycle") or life.startswith(("merged", "deleted")):
        return "small"
    return rng.choices(("large", "medium", "small"), weights=(9, 32, 59))[0]


def _dates(
    calendar: Calendar, rng: Random, life: str, billing: str
) -> tuple[date, list[tuple[date, date]]]:
    """Return the join date and the spans in which the account is a customer."""
    forever = date(9999, 1, 1)
    if life == "late_record" or billing in ("trial_only", "within_one_month"):
        joined = calendar.ago(rng.randint(35, 50))
        return joined, [(joined, forever)]
    scripted = life != "customer" or billing != "ordinary"
    joined = calendar.ago(rng.randint(560, 1150) if scripted else rng.randint(12, 1200))
    ends = {
        "merged": calendar.ago(320),
        "merged_first": calendar.ago(400),
        "merged_second": calendar.ago(210),
        "merged_lately": calendar.night_date(calendar.night(4)),
        "deleted": calendar.ago(250),
        "deleted_lately": calendar.night_date(calendar.night(2)),
        "churned": calendar.ago(rng.randint(20, 400)),
        "churned_lately": calendar.night_date(calendar.night(3)),
        "came_back": calendar.ago(rng.randint(260, 380)),
    }
    end = ends.get(life, forever)
    if end <= joined:
        joined = end - timedelta(days=rng.randint(120, 300))
    spans = [(joined, end)]
    if life == "came_back":
        spans.append((end + timedelta(days=rng.randint(70, 150)), forever))
    return joined, spans


def _link(world: World) -> None:
    """Set parents (three levels, and a cycle) and the survivors of merged accounts."""
    accounts = world.accounts
    parents = {1: 0, 2: 0, 3: 0, 4: 1, 5: 1, 6: 7, 7: 8, 8: 6}
    for child, parent in parents.items():
        accounts[child].parent_id = accounts[parent].account_id
        accounts[child].relation = _RELATIONS[accounts[child].life]
    for account in accounts:
        if account.life in _MERGE_TARGETS:
            account.merged_into = accounts[_MERGE_TARGETS[account.life]].account_id
    family = accounts[0].name.split()[0]
    for child in (1, 2, 3, 4, 5):
        place = ("Nord", "Süd", "Benelux", "Hafen", "Terminal")[child - 1]
        accounts[child].name = f"{family} {place} {accounts[child].name.split(maxsplit=1)[1]}"
        accounts[child].domain = accounts[0].domain


def _staff(world: World, account: Account, next_user: int) -> int:
    """Give the account its product users; return the next free user number."""
    rng = world.rng("users", account.number)
    low, high = _SIZES[account.size]
    last = min(account.spans[-1][1], world.calendar.as_of) - timedelta(days=1)
    days = max((last - account.join_date).days, 1)
    handles: set[str] = set()
    for index in range(rng.randint(low, high)):
        person = names.person(rng, account.country.cultures, senior=index == 0)
        handle = person.handle
        while handle in handles:
            handle = f"{person.handle}{rng.randint(2, 999)}"
        handles.add(handle)
        # Most users come in the first months, the rest trickle in.
        offset = rng.randint(0, 60) if rng.random() < 0.5 else rng.randint(0, days)
        joined = min(account.join_date + timedelta(days=offset), last)
        user = User(f"u{next_user}", person, f"{handle}@{account.domain}", joined)
        if rng.random() < 0.1 and (last - joined).days > 40:
            user.deactivated = joined + timedelta(days=rng.randint(30, (last - joined).days))
            user.loses_date = rng.random() < 0.2
        user.is_listed = index < 2 or rng.random() > 0.012
        account.users.append(user)
        next_user += 1
    return next_user


def _assign(world: World, account: Account) -> None:
    """Give the account its CSMs over time: a list of (from, team)."""
    rng = world.rng("care", account.number)
    active = [csm for csm in world.csms if csm.left is None and not csm.is_lead]
    count = {"six_csms": 6, "three_csms": 3, "nobody": 0}.get(
        account.care, rng.choices((1, 2, 3, 0), weights=(74, 16, 5, 5))[0]
    )
    if account.care in ("listed_twice", "old_address", "moved_by_list", "moved_by_record"):
        count = max(count, 1)
    team = rng.sample(active, count)
    account.csms = [(account.join_date, team)]
    if account.care == "inactive_csm":
        account.csms = [(account.join_date, [world.csms[-2]])]
        return
    moves = {"moved_by_list": 3, "moved_by_record": 2}.get(
        account.care, rng.choices((0, 1, 2), weights=(60, 28, 12))[0]
    )
    tenure = (world.calendar.as_of - account.join_date).days
    if account.care in ("nobody", "six_csms") or tenure < 90:
        return
    for offset in sorted(rng.sample(range(30, tenure - 1), moves)):
        stay = team[: rng.randint(0, max(len(team) - 1, 0))]
        team = [*stay, *rng.sample([csm for csm in active if csm not in stay], 1)]
        account.csms.append((account.join_date + timedelta(days=offset), team))
    if rng.random() < 0.05:
        # One who has left long ago once looked after it.
        account.csms.insert(0, (account.join_date, [world.csms[-1]]))
        account.csms[1] = (account.join_date + timedelta(days=25), account.csms[1][1])


def _share_user(world: World) -> None:
    """Let the first users of the group's parent also work in two of its children."""
    parent, *children = world.accounts[:3]
    for user, child in zip(parent.users[:2], children, strict=True):
        child.users.append(User(user.user_id, user.person, user.email, child.join_date))
