"""What a health metric or a condition can ask of an account: figures and attributes, by name.

A figure has a number for a day; an attribute is what the account's record said on it. The names are
those of `int_account_day__figures` and `int_account__attribute_history`.
"""

from __future__ import annotations

from dataclasses import dataclass

NUMBER, TEXT, DATE = "a number", "a text", "a date"

FIGURES = (
    "csm_score",
    "dau",
    "dau_share_pct",
    "days_active_30d",
    "days_invoice_open",
    "days_since_last_touchpoint",
    "days_to_renewal",
    "ending_mrr",
    "ending_mrr_reporting",
    "mau",
    "mau_share_pct",
    "nps_current",
    "nps_net",
    "open_tickets",
    "product_users",
    "seconds_per_active_user",
    "session_seconds",
    "subscription_mrr",
    "wau",
)
HEALTH_SCORE = "health_score"
CUSTOM = "custom:"
CHILDREN_MEAN = "children_mean"

ATTRIBUTES = {
    "account_name": TEXT,
    "churn_date": DATE,
    "churn_reason": TEXT,
    "country": TEXT,
    "currency": TEXT,
    "employees": NUMBER,
    "industry": TEXT,
    "is_churned": NUMBER,
    "join_date": DATE,
    "parent_account_id": TEXT,
    "renewal_date": DATE,
    "stage": TEXT,
    "tier": TEXT,
}

# Prefix → how a name with it goes on. Modules and features are figures, as are custom metrics.
FIGURE_FORMS = {
    "module:": "module:<product>/<module>",
    "feature:": "feature:<product>/<module>/<feature>",
    CUSTOM: f"{CUSTOM}<metric>",
}
ATTRIBUTE_FORMS = {
    "label:": ("label:<key>", TEXT),
    "value:": ("value:<key>", NUMBER),
    "event:": ("event:<key>", DATE),
}


@dataclass(frozen=True)
class Subject:
    """A figure or an attribute, and what its values are."""

    name: str
    kind: str
    is_attribute: bool


def known_subjects(also: tuple[str, ...] = ()) -> list[str]:
    """The names that can be asked for, and the forms of those that the source makes up."""
    attribute_forms = [form for form, _ in ATTRIBUTE_FORMS.values()]
    names = sorted([*FIGURES, *also, *ATTRIBUTES])
    return [*names, *FIGURE_FORMS.values(), *attribute_forms]


def find_subject(name: str, also: tuple[str, ...] = ()) -> Subject | None:
    """The subject of that name, if there is one; `also` are further figures."""
    if name in FIGURES or name in also:
        return Subject(name, NUMBER, is_attribute=False)
    if name in ATTRIBUTES:
        return Subject(name, ATTRIBUTES[name], is_attribute=True)
    prefix, _, rest = name.partition(":")
    if (form := FIGURE_FORMS.get(f"{prefix}:")) and rest.count("/") >= form.count("/") and rest:
        return Subject(name, NUMBER, is_attribute=False)
    if (attribute := ATTRIBUTE_FORMS.get(f"{prefix}:")) and rest:
        return Subject(name, attribute[1], is_attribute=True)
    return None
