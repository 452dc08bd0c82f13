"""What holds for every file of the dbt project, and what dbt-bouncer cannot say.

The rules are those of the style guide: names and places, grain, one clock, the contract with
ingestion, and what makes a metric. A failure names the file that breaks one. Lineage, names of
models and descriptions are checked on the manifest by dbt-bouncer (dbt_project/dbt-bouncer.yml).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from ingestion.entities import ENTITIES
from orchestration.lineage import LINEAGE_TABLES
from orchestration.metric_catalog import METRIC_CATALOG
from settings import DBT_PROJECT, RUN_TABLES
from settings.charts import AGGREGATIONS, DAILY_METRICS
from tests.compiled_project import CompiledProject
from tests.marts_page import PAGE, page

MODELS = DBT_PROJECT / "models"
METRIC_FILES = sorted((MODELS / "metrics").glob("*.yml"))
# Its rows are of any metric, whose text stands in the catalogue.
LONG_TABLE = "account_metrics_daily"
DECISIONS = DBT_PROJECT.parent / "docs" / "decisions.md"

LEDGERS = {"landed_files", "unparsed_lines"}
CLOCKS = re.compile(
    r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp|sysdate|getdate"
    r"|now\s*\(|today\s*\(|get_current_time|run_started_at|modules\.datetime)",
    re.IGNORECASE,
)
COMMENTS = re.compile(r"\{#.*?#\}|--[^\n]*|/\*.*?\*/", re.DOTALL)

METRIC_KEYS = {
    "label",
    "unit",
    "aggregation",
    "grain",
    "page",
    "computed_in",
    "published_in",
    "contributions",
    "decision",
    "doc",
    "unit_tests",
}


def sql_files(*folders: str) -> Iterator[Path]:
    """The SQL files of folders of the dbt project, compiled ones apart."""
    for folder in folders:
        yield from sorted((DBT_PROJECT / folder).rglob("*.sql"))


def named(path: Path) -> str:
    """A file, as a failure names it."""
    return path.relative_to(DBT_PROJECT).as_posix()


def published(project: CompiledProject) -> dict[str, dict[str, Any]]:
    """Published models by their names."""
    return {name: node for name, node in project.models.items() if node["fqn"][1] == "published"}


def is_view(node: dict[str, Any]) -> bool:
    """Whether a published model is a view over published tables, without rows of its own."""
    return node["config"]["meta"].get("published_as") == "view"


# Names and places


def test_path_is_name_and_folder_is_schema(compiled_project: CompiledProject) -> None:
    for name, node in compiled_project.models.items():
        path = Path(node["original_file_path"])
        assert path.stem == name == node["alias"], f"{path} is named {node['alias']}"
        assert path.parts[1] == node["schema"], f"{path} stands in the schema {node['schema']}"


def test_properties_and_docs_are_named_after_their_folder() -> None:
    wrong = [
        named(path)
        for pattern in ("*.yml", "*.yaml", "*.md")
        for path in MODELS.rglob(pattern)
        if path.parent.name != "metrics"
        and not (path.name.startswith(f"_{path.parent.name}__") and path.suffix != ".yaml")
    ]
    assert not wrong, f"not named _<folder>__<what>.yml: {wrong}"


def test_a_singular_test_stands_where_its_models_do_and_says_what_a_failing_row_means() -> None:
    for path in sql_files("tests"):
        folder = MODELS / path.parent.relative_to(DBT_PROJECT / "tests")
        assert folder.is_dir(), f"{named(path)} stands beside no folder of models"
        assert path.name.startswith("assert_"), named(path)
        first_line = path.read_text(encoding="utf-8").split("\n", 1)[0]
        assert first_line.startswith("-- A failing row is "), f"{named(path)}: {first_line}"


def test_lines_of_macros_are_as_short_as_sqlfluff_wants_the_others() -> None:
    long = [
        f"{named(path)}:{number}"
        for path in sql_files("macros")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 100
    ]
    assert not long, f"longer than 100: {long}"


# Rows


def test_the_grain_of_a_published_table_is_proven(compiled_project: CompiledProject) -> None:
    proven = {
        (test["attached_node"], tuple(test["test_metadata"]["kwargs"]["columns"]))
        for test in compiled_project.tests.values()
        if test.get("test_metadata") and test["test_metadata"]["name"] == "unique_grain"
    }
    for name, node in published(compiled_project).items():
        if is_view(node):  # what stands in it twice would be a sum that does not close
            continue
        grain = tuple(node["config"]["meta"]["grain"])
        assert (node["unique_id"], grain) in proven, f"no test unique_grain of {name} on {grain}"
        assert set(grain) <= set(node["columns"]), f"{name} does not publish its grain {grain}"


def test_every_published_row_says_of_which_day_it_is(compiled_project: CompiledProject) -> None:
    without = [
        name
        for name, node in published(compiled_project).items()
        if "as_of_date" not in node["columns"]
    ]
    assert not without, f"published without as_of_date: {without}"


def test_the_page_of_published_tables_is_what_the_contracts_say(
    compiled_project: CompiledProject,
) -> None:
    expected = page(compiled_project.models)
    assert PAGE.read_text("utf-8") == expected, f"{PAGE} is behind: make docs"


def test_nothing_reads_the_clock() -> None:
    clocks = {
        named(path): match.group()
        for path in sql_files("models", "macros", "tests")
        if (match := CLOCKS.search(COMMENTS.sub("", path.read_text(encoding="utf-8"))))
    }
    assert not clocks, f"the as-of date stands in run_settings: {clocks}"


def test_select_distinct_has_its_reason_above_it() -> None:
    for path in sql_files("models", "macros", "tests"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.search(r"\bselect distinct\b", COMMENTS.sub("", line)):
                above = [text.strip() for text in lines[max(number - 2, 0) : number]]
                assert any(text.startswith("--") for text in above), f"{named(path)}:{number + 1}"


# What ingestion lands


def test_sources_are_the_contract_of_ingestion(compiled_project: CompiledProject) -> None:
    sources: dict[str, dict[str, list[str]]] = {}
    for source in compiled_project.manifest["sources"].values():
        assert source["source_name"] == source["schema"], source["unique_id"]
        sources.setdefault(source["schema"], {})[source["name"]] = list(source["columns"])
    assert sources.pop("run").keys() == {*RUN_TABLES, *METRIC_CATALOG, *LINEAGE_TABLES}
    assert sources.keys() == {f"raw_{domain}" for domain in ENTITIES}
    for domain, entities in ENTITIES.items():
        tables = sources[f"raw_{domain}"]
        assert tables.keys() == entities.keys() | LEDGERS, domain
        for name, entity in entities.items():
            assert tables[name] == list(entity.columns), f"columns of {domain}/{name}"


def test_the_macro_entities_is_the_contract_of_ingestion() -> None:
    returned: list[dict[str, list[str]]] = []
    text = (DBT_PROJECT / "macros" / "staging" / "entities.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True)
    environment.from_string(text + "{{ entities() }}").render({"return": returned.append})
    assert returned == [{domain: list(entities) for domain, entities in ENTITIES.items()}]


def test_landed_records_are_read_by_native_staging_only(
    compiled_project: CompiledProject,
) -> None:
    for name, node in compiled_project.models.items():
        if node["fqn"][1:3] == ["staging", "native"]:
            continue
        read = {key.split(".", 2)[2] for key in node["depends_on"]["nodes"] if "source." in key}
        landed = {table for table in read if not table.startswith("run.")}
        assert {table.rsplit(".", 1)[1] for table in landed} <= LEDGERS, f"{name} reads {landed}"
        assert "run.settings" not in read or name == "run_settings", f"{name} reads run.settings"


# Metrics


def metrics() -> list[Any]:
    """One parameter per metric: its area, its name and its entry."""
    return [
        pytest.param(path.stem, name, entry, id=name)
        for path in METRIC_FILES
        for name, entry in yaml.safe_load(path.read_text(encoding="utf-8"))["metrics"].items()
    ]


@cache
def decisions() -> set[str]:
    """The headings of the decisions."""
    text = DECISIONS.read_text(encoding="utf-8")
    return {heading.strip() for heading in re.findall(r"^#{2,}\s+(.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize(("area", "name", "entry"), metrics())
def test_a_metric_is_prose_an_owner_a_proof_and_a_published_column(
    compiled_project: CompiledProject, area: str, name: str, entry: dict[str, Any]
) -> None:
    assert entry.keys() == METRIC_KEYS, f"keys of {name}"
    assert entry["aggregation"] in AGGREGATIONS, f"aggregation of {name}: {AGGREGATIONS}"
    has_prose(compiled_project, area, entry["doc"])
    assert entry["decision"] is None or entry["decision"] in decisions(), (
        f"no heading in docs/decisions.md: {entry['decision']}"
    )
    assert entry["computed_in"] in compiled_project.models, f"no model {entry['computed_in']}"
    is_published(compiled_project, entry)
    assert entry["contributions"] in published(compiled_project), f"contributions of {name}"
    is_proven(compiled_project, entry)


def has_prose(project: CompiledProject, area: str, doc: str) -> None:
    """The doc block stands in the area's file, in the form of all of them."""
    block = project.manifest["docs"].get(f"doc.account360.{doc}")
    assert block, f"no doc block {doc}"
    assert block["original_file_path"] == f"models/metrics/{area}.md"
    for part in ("Formula", "Does not count", "Worked"):
        assert f"*{part}*: " in block["block_contents"], f"doc block {doc} lacks *{part}*"


def is_published(project: CompiledProject, entry: dict[str, Any]) -> None:
    """The column is in the contract of its table, has the metric's text, and its owner upstream."""
    table, column = entry["published_in"].split(".")
    node = published(project)[table]
    assert node["config"]["meta"]["grain"] == entry["grain"], f"grain of {table}"
    columns = [column, f"{column}_reporting"] if entry["unit"] == "money" else [column]
    text = project.manifest["docs"][f"doc.account360.{entry['doc']}"]["block_contents"].strip()
    for expected in columns:
        assert expected in node["columns"], f"{table} does not publish {expected}"
        described = table == LONG_TABLE or text in node["columns"][expected]["description"]
        assert described, f"text of {table}.{expected}"
    assert entry["computed_in"] in project.lineage([table]), f"{table} is not built on the owner"


def is_proven(project: CompiledProject, entry: dict[str, Any]) -> None:
    """Its unit tests exist, on the owner or on what the owner is built from."""
    models = {test["name"]: test["model"] for test in project.manifest["unit_tests"].values()}
    lineage = project.lineage([entry["computed_in"]])
    assert entry["unit_tests"], "no unit test"
    for test in entry["unit_tests"]:
        assert test in models, f"no unit test {test}"
        assert models[test] in lineage, f"{test} is on {models[test]}, not on the owner's lineage"


def test_a_metric_file_has_its_prose_beside_it() -> None:
    assert METRIC_FILES
    for path in METRIC_FILES:
        assert path.with_suffix(".md").exists(), f"{named(path)} has no prose"


def test_every_metric_by_day_has_one_entry() -> None:
    names = Counter(parameter.values[1] for parameter in metrics())
    assert not (twice := [name for name, times in names.items() if times > 1]), f"twice: {twice}"
    assert not (missing := set(DAILY_METRICS) - names.keys()), f"by day, without entry: {missing}"
