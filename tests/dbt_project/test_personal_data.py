"""Personal data is tagged column by column, from where it lands to where it is published."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingestion.entities import ENTITIES
from orchestration.lineage import COLUMN_EDGES
from orchestration.manifest import is_personal, published_tables
from tests.compiled_project import CompiledProject

# What names, addresses and texts of people are called in the contracts of what lands.
NAMES_OF_PEOPLE = {
    *("email", "old_email", "csm_email", "owner_email", "assignee_email", "requester_email"),
    *("user_email", "first_name", "last_name", "phone", "contact", "author", "owner", "assignee"),
    *("added_by", "closed_by", "assigned_csms", "user_id", "contact_id", "body", "comment"),
    *("subject", "description"),
}
NO_PEOPLE = {
    ("invoice_lines", "description"): "says what is billed",
}

# Published texts that are made of personal data and have none in them, apart from account_id: which
# account a record counts under hangs on its outcome, and that on the whole record.
_A_CLASS = "one of a few words, chosen by figures that people count in"
_A_NAME = "the name of a figure or key, which nobody is called by"
NONE_IN_IT = {
    "account_360.health_band": _A_CLASS,
    "account_alerts.alert_id": "a rule, an account and a day; the day hangs on who was active",
    "account_alerts.status": _A_CLASS,
    "account_dimensions.key": _A_NAME,
    "account_health_daily.health_band": _A_CLASS,
    "account_health_daily.missing_metrics": _A_NAME,
    "audit_source_claims.cause": _A_CLASS,
    "audit_unattributed.reason": "that the account is unknown, and which",
    "csm_reconciliation_accounts.figure": _A_NAME,
    "csm_reconciliation_monthly.figure": _A_NAME,
}


@pytest.fixture(scope="module")
def personal_at_source(compiled_project: CompiledProject) -> set[str]:
    sources = compiled_project.manifest["sources"].values()
    return {
        f"{source['schema']}.{source['name']}.{name}"
        for source in sources
        for name, column in source["columns"].items()
        if is_personal(column)
    } | {"raw_crm.unparsed_lines.record", "run.alert_rules.assignee"}


@pytest.fixture(scope="module")
def made_of() -> dict[str, list[str]]:
    lines = COLUMN_EDGES.read_text("utf-8").splitlines()[1:]
    return {column: sources.split() for column, _, sources in (x.partition(",") for x in lines)}


def roots(column: str, made_of: dict[str, list[str]]) -> set[str]:
    """The landed columns that a column is made of."""
    seen, waiting, found = set(), [column], set()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        waiting += made_of.get(each, [])
        if each not in made_of:
            found.add(each)
    return found


def published_texts(project: CompiledProject) -> Iterator[tuple[str, bool]]:
    """Every published column of text, and whether it is tagged."""
    for table in published_tables(project.manifest):
        columns = project.models[table.name]["columns"]
        for name, column in columns.items():
            if column["data_type"].startswith("varchar"):
                yield f"{table.name}.{name}", name in table.personal


def test_what_lands_of_people_is_tagged(personal_at_source: set[str]) -> None:
    landed = {
        f"raw_{domain}.{entity}.{column}"
        for domain, entities in ENTITIES.items()
        for entity, contract in entities.items()
        for column in contract.columns
        if column in NAMES_OF_PEOPLE and (entity, column) not in NO_PEOPLE
    }
    assert landed <= personal_at_source


def test_a_published_text_that_is_made_of_personal_data_is_tagged(
    compiled_project: CompiledProject,
    personal_at_source: set[str],
    made_of: dict[str, list[str]],
) -> None:
    untagged = {
        column: sorted(roots(column, made_of) & personal_at_source)
        for column, is_tagged in published_texts(compiled_project)
        if not is_tagged
        and not column.endswith(".account_id")
        and roots(column, made_of) & personal_at_source
    }
    assert untagged.keys() == NONE_IN_IT.keys(), untagged


def test_what_is_tagged_is_made_of_personal_data(
    compiled_project: CompiledProject,
    personal_at_source: set[str],
    made_of: dict[str, list[str]],
) -> None:
    """A tag is no decoration: where it stands, something of people comes in.

    But for contributions of one area: their columns are those of all areas.
    """
    for column, is_tagged in published_texts(compiled_project):
        if column.startswith("contributions_"):
            continue
        assert not is_tagged or roots(column, made_of) & personal_at_source, column


def test_only_texts_are_tagged(compiled_project: CompiledProject) -> None:
    """Hashes are texts: a number that is personal could not be published as one."""
    tagged = {
        f"{table.name}.{name}"
        for table in published_tables(compiled_project.manifest)
        for name in table.personal
    }
    texts = {column for column, _ in published_texts(compiled_project)}
    assert len(tagged) > 40
    assert tagged <= texts
