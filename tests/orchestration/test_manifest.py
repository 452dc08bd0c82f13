"""The dbt project as the orchestrator sees it, and what it tells of a build that failed."""

import json

import duckdb
import pytest

from orchestration import manifest as manifests
from orchestration.dbt_failures import read_failures, read_remarks
from orchestration.manifest import (
    DbtProjectError,
    PublishedTable,
    is_parsed,
    load_manifest,
    published_tables,
)

PROFILES = """\
account360:
  target: warehouse
  outputs:
    warehouse: {type: duckdb, path: "{{ env_var('ACCOUNT360_WAREHOUSE_PATH') }}"}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A dbt project of two models and a test that says that they agree."""
    folder = tmp_path / "project"
    (folder / "models" / "published").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "dbt_project.yml").write_text("name: small\nprofile: account360\n")
    (folder / "profiles.yml").write_text(PROFILES)
    (folder / "models" / "base.sql").write_text("select 1 as id")
    (folder / "models" / "published" / "things.sql").write_text("select * from {{ ref('base') }}")
    (folder / "models" / "published" / "_things.yml").write_text(
        "models:\n  - name: things\n    description: One row per thing.\n"
        "    config: {meta: {grain: [id]}}\n    columns: [{name: id, description: Its id.}]\n"
    )
    (folder / "tests" / "assert_agree.sql").write_text(
        "select * from {{ ref('base') }} except select * from {{ ref('things') }}"
    )
    monkeypatch.setattr(manifests, "DBT_PROJECT", folder)
    return folder


def test_the_project_is_parsed_once_and_again_when_it_changed(project, settings, monkeypatch):
    assert not is_parsed(settings)
    manifest = load_manifest(settings)
    assert is_parsed(settings)
    assert published_tables(manifest) == [
        PublishedTable("things", ("id",), "One row per thing.", {"id": "Its id."})
    ]
    test = manifest["nodes"]["test.small.assert_agree"]
    assert test["config"]["meta"]["dagster"]["ref"] == {"name": "things"}

    with monkeypatch.context() as patch:
        patch.setattr(manifests, "_parse", lambda *_: pytest.fail("parsed again"))
        load_manifest(settings)
        (project / "target").mkdir()
        (project / "target" / "manifest.json").write_text("{}")
        load_manifest(settings)
    (project / "models" / "base.sql").write_text("select 2 as id")
    assert not is_parsed(settings)


def test_a_project_that_does_not_parse_says_what_dbt_said(project, settings):
    (project / "models" / "base.sql").write_text("select * from {{ ref('nothing') }}")
    with pytest.raises(DbtProjectError, match="depends on a node named 'nothing'"):
        load_manifest(settings)


def test_a_published_model_without_a_grain_is_named():
    node = {
        "resource_type": "model",
        "name": "things",
        "fqn": ["small", "published", "things"],
        "config": {"meta": {}},
        "columns": {},
        "description": "",
    }
    with pytest.raises(DbtProjectError, match="published model things has no grain"):
        published_tables({"nodes": {"model.small.things": node}})


def test_a_failed_test_shows_its_first_rows_and_its_sql(settings):
    settings.home.mkdir()
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create table t as select range as id, 'x' as name from range(9)")
    target = settings.dbt_target_path
    compiled = target / "compiled" / "small" / "tests" / "assert_few.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text("select id, name from t order by id")
    results = [
        {
            "unique_id": "test.small.assert_few",
            "status": "fail",
            "message": "Got 9 results, configured to fail if != 0",
            "compiled_code": "select id, name from t order by id -- all of them",
        },
        {"unique_id": "model.small.m", "status": "error", "message": "Binder Error: no column x"},
        {"unique_id": "model.small.n", "status": "skipped", "message": None},
        {"unique_id": "model.small.o", "status": "success", "message": "OK"},
        {
            "unique_id": "test.small.assert_usual",
            "status": "warn",
            "message": "Got 1 result, configured to warn if != 0",
            "compiled_code": "select name from t where id = 0",
        },
    ]
    (target / "run_results.json").write_text(json.dumps({"results": results}))
    test, model = read_failures(target, settings.warehouse_path)
    assert (test.node, test.message) == ("test assert_few", results[0]["message"])
    assert test.columns == ["id", "name"]
    assert test.rows == [[str(i), "x"] for i in range(5)]
    assert test.compiled_path == str(compiled)
    assert (model.node, model.message) == ("model m", "Binder Error: no column x")
    (remark,) = read_remarks(target, settings.warehouse_path)
    assert (remark.node, remark.rows) == ("test assert_usual", [["x"]])


def test_a_build_that_left_no_results_has_no_failures_to_tell(settings):
    assert read_failures(settings.dbt_target_path, settings.warehouse_path) == []
