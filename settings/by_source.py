"""An option that holds for every source, and may be another one for a domain or an entity.

Written `7, events = 2, billing.fx_rates = 40`: first what holds for all, then the exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")

# Every domain that lands and its entities (`ingestion.entities` has their columns; a test holds
# the two against each other).
SOURCES: Mapping[str, tuple[str, ...]] = {
    "crm": (
        "accounts",
        "account_aliases",
        "csm_aliases",
        "csms",
        "account_assignments",
        "contacts",
        "users",
        "interactions",
        "notes",
        "documents",
        "deals",
        "alerts",
        "tasks",
        "goals",
        "nps_responses",
        "stage_history",
        "account_metrics",
    ),
    "billing": ("subscriptions", "invoices", "invoice_lines", "fx_rates"),
    "events": ("events",),
    "tickets": ("tickets", "ticket_changes"),
}


@dataclass(frozen=True)
class BySource(Generic[Value]):
    """`default` for every source but the `others`, which are named `events` or `crm.accounts`."""

    default: Value
    others: Mapping[str, Value]

    def of(self, domain: str, entity: str = "") -> Value:
        """What holds for a domain, or for an entity: its own, else that of its domain."""
        own = self.others.get(f"{domain}.{entity}") if entity else None
        return self.others.get(domain, self.default) if own is None else own

    def entities(self, domain: str) -> list[str]:
        """The entities of a domain that have one of their own."""
        return [entity for entity in SOURCES[domain] if f"{domain}.{entity}" in self.others]

    def __str__(self) -> str:
        """As it is written."""
        others = (f"{name} = {value}" for name, value in self.others.items())
        return ", ".join([str(self.default), *others])


def read_by_source(text: str, read: Callable[[str], Value]) -> BySource[Value]:
    """Read the form above. Raises `ValueError`, which says what is wrong."""
    default, *others = (part.strip() for part in text.split(","))
    if "=" in default:
        raise ValueError(f"{default!r} comes before what holds for every other source")
    found: dict[str, Value] = {}
    for part in others:
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise ValueError(f"{part!r} is not written as source = value")
        if not is_source(name):
            raise ValueError(
                f"{name!r} is neither a domain ({', '.join(SOURCES)}) nor an entity such as"
                " crm.accounts"
            )
        found[name] = read(value)
    return BySource(read(default), found)


def is_source(name: str) -> bool:
    """Whether it is a domain, or an entity with its domain before it."""
    domain, dot, entity = name.partition(".")
    return domain in SOURCES and (not dot or entity in SOURCES[domain])
