"""What may be accepted, by whom and for how long; and what becomes of the publish."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import dagster as dg
import duckdb
import pytest

from orchestration.acceptance import (
    ACCEPT_TAG,
    ACCEPTED_BY_TAG,
    AcceptanceError,
    as_tags,
    from_tags,
    paired,
    refuse_wrong,
    user_name,
)
from orchestration.defs import home as home_resource
from orchestration.defs import published, quality
from orchestration.progress import Progress
from orchestration.publishing import Lead, Publish, build_candidate, publish_candidate
from orchestration.status import status
from settings import SettingsError, load_settings
from tests.orchestration.small_warehouse import TABLES, fill

ROWS = "drift.account_360.rows"
MRR = "drift.account_360.ending_mrr.total"
MONTHS = "drift.account_months.rows"
RELEASE = """\
usual_gap_days = 7

[[drift]]
table = "account_360"
measure = "rows"
block = { fall_pct = 20 }

[[drift]]
table = "account_360"
measure = "total"
column = "ending_mrr"
warn = { fall_pct = 10 }
block = { fall_pct = 80 }

[[drift]]
table = "account_months"
measure = "rows"
block = { rise_pct = 10 }
"""
MANIFEST = {
    "nodes": {
        f"model.account360.{name}": {
            "resource_type": "model",
            "name": name,
            "fqn": ["account360", "published", name],
            "description": f"One row per {name}.",
            "config": {"meta": {"grain": list(key)}},
            "columns": {
                column: {"description": "", "tags": [], "data_type": kind}
                for column, kind in columns.items()
            },
            "depends_on": {"nodes": [], "macros": []},
        }
        for name, key, columns in (
            (
                "account_360",
                ("account_id",),
                {"account_id": "varchar", "ending_mrr": "decimal(18, 2)"},
            ),
            ("account_months", ("account_id", "month"), {"account_id": "varchar", "month": "date"}),
        )
    }
}


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "release.toml").write_text(RELEASE)
    return load_settings(environ={}, home=tmp_path / "home", release_file=tmp_path / "release.toml")


def test_one_reason_is_for_all_checks_or_each_has_its_own():
    assert paired([], []) == {}
    assert paired([ROWS, MRR], ["why"]) == {ROWS: "why", MRR: "why"}
    assert paired([ROWS, MRR], ["why", "so"]) == {ROWS: "why", MRR: "so"}


@pytest.mark.parametrize(
    ("checks", "reasons", "said"),
    [
        ([ROWS], [], "--accept needs a reason"),
        ([], ["why"], "name the check with --accept"),
        ([ROWS, MRR, MONTHS], ["why", "so"], "3 checks are accepted and 2 reasons given"),
        ([ROWS, ROWS], ["why"], "accepted twice"),
    ],
)
def test_checks_and_reasons_that_do_not_go_together_are_refused(checks, reasons, said):
    with pytest.raises(AcceptanceError, match=said):
        paired(checks, reasons)


@pytest.mark.parametrize(
    ("check", "reason", "said"),
    [
        (ROWS, "  ", "accepted without a reason"),
        ("drift.account_360.row", "why", "did you mean drift.account_360.rows?"),
        ("drift.account_360.row", "why", f"can be:\n  {ROWS}\n  {MRR}\n  {MONTHS}"),
        ("release_complete", "why", "whether the publish is whole"),
        ("arrived_whole", "why", "land it again"),
        ("files_readable", "why", "mend it or take it away"),
        ("release_as_usual", "why", "never stops a publish"),
    ],
)
def test_what_cannot_be_accepted_is_refused_and_told_why(home, check, reason, said):
    with pytest.raises(AcceptanceError) as error:
        refuse_wrong(home, {check: reason})
    assert said in str(error.value)


def test_a_test_of_dbt_cannot_be_accepted(home, monkeypatch):
    from orchestration import acceptance

    nodes = {"test.one": {"resource_type": "test", "name": "unique_grain_account_360"}}
    monkeypatch.setattr(acceptance, "is_parsed", lambda _: True)
    monkeypatch.setattr(acceptance, "load_manifest", lambda _: {"nodes": nodes})
    for name in ("unique_grain_account_360", "dbt unique_grain_account_360"):
        with pytest.raises(AcceptanceError, match="is a test of dbt"):
            refuse_wrong(home, {name: "why"})


def test_a_run_carries_its_acceptances_as_tags(home):
    tags = as_tags({ROWS: "why"})
    assert as_tags({}) == {}
    (one,) = from_tags(home, tags).values()
    assert (one.check, one.reason, one.by) == (ROWS, "why", user_name())
    (one,) = from_tags(home, tags | {ACCEPTED_BY_TAG: "ann"}).values()
    assert one.by == "ann"
    assert from_tags(home, {}) == {}


@pytest.mark.parametrize("tag", [ROWS, json.dumps([ROWS]), json.dumps({ROWS: 1})])
def test_a_tag_that_is_no_json_of_reasons_is_refused(home, tag):
    with pytest.raises(AcceptanceError, match="allowed is JSON of checks and reasons"):
        from_tags(home, {ACCEPT_TAG: tag})


@pytest.mark.parametrize(
    ("given", "instead", "said"),
    [
        ("account_months", "account_month", "no published table: did you mean account_months?"),
        ("ending_mrr", "ending_mr", "no column of account_360: did you mean ending_mrr?"),
        ("ending_mrr", "account_id", "account_id is varchar: allowed is a column of numbers"),
    ],
)
def test_a_check_of_what_is_not_published_is_refused(tmp_path, given, instead, said):
    file = tmp_path / "release.toml"
    file.write_text(RELEASE.replace(given, instead))
    settings = load_settings(environ={}, home=tmp_path, release_file=file)
    with pytest.raises(SettingsError) as error:
        quality._release_checks(settings, Progress(), MANIFEST)
    assert str(error.value).startswith(f"{file}, drift.account_")
    assert said in str(error.value)


@pytest.fixture
def half(home, monkeypatch):
    """A home whose last publish has 200 accounts; its warehouse has 150 of them now.

    The function runs candidate, release checks and publish as Dagster does.
    """
    fill(home, accounts=200)
    build_candidate(home, TABLES)
    first = Publish(date(2024, 6, 9), "run00000", "1", datetime(2024, 6, 9, tzinfo=UTC), ())
    publish_candidate(home, first, Lead.BY_DATE)
    fill(home, accounts=150)
    monkeypatch.setattr(published, "write_audit", lambda *_: 0)
    monkeypatch.setattr(quality, "audit_rows", lambda _: {})
    assets = list(published.definitions(home, Progress(), MANIFEST).assets or [])
    checks = quality._release_checks(home, Progress(), MANIFEST)

    def release(**tags):
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                [*assets, checks],
                partition_key="2024-06-10",
                tags=tags,
                instance=instance,
                resources=home_resource.definitions(home).resources,
                raise_on_error=False,
            )
            return result, {one.check_name: one for one in result.get_asset_check_evaluations()}

    return release


def audit(home):
    database = home.current_path / "account360.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            "select table_name, check_name, is_blocking, has_passed, finding, accepted_by,"
            " accepted_reason, accepted_at is not null from audit_checks"
            " where check_name like 'drift%' order by check_name"
        ).fetchall()


FELL = "rows of account_360: 200 before, 150 now (-25.0 %; allowed is down to -20 %)"
MRR_FELL = (
    "total of account_360.ending_mrr: 2,000.00 before, 1,500.00 now "
    "(-25.0 %; allowed is down to -10 %)"
)


def test_a_drift_that_blocks_stops_the_publish_until_it_is_accepted(half, home):
    before = home.current_path.readlink()
    result, found = half()
    assert not result.success
    assert home.current_path.readlink() == before
    assert [name for name, one in found.items() if not one.passed] == [ROWS, MRR]
    assert found[ROWS].severity is dg.AssetCheckSeverity.ERROR
    assert found[MRR].severity is dg.AssetCheckSeverity.WARN
    assert found[ROWS].metadata["failed"].value == [FELL]
    assert found[ROWS].metadata["compared_with"].value == before.name

    accepted = {ROWS: "the accounts of ACME left", MONTHS: "just in case"}
    tags = {ACCEPT_TAG: json.dumps(accepted), ACCEPTED_BY_TAG: "ann"}
    result, found = half(**tags)
    assert result.success
    assert home.current_path.readlink() != before
    assert not found[ROWS].passed
    assert found[ROWS].severity is dg.AssetCheckSeverity.WARN
    assert found[ROWS].description == "accepted by ann: the accounts of ACME left"
    assert found[MONTHS].metadata["acceptance_not_needed"].value == "just in case"
    assert audit(home) == [
        ("account_360", MRR, False, False, MRR_FELL, None, None, False),
        ("account_360", ROWS, False, False, FELL, "ann", "the accounts of ACME left", True),
        ("account_months", MONTHS, True, True, None, None, None, False),
    ]
    told = status(home)
    assert "Published although these checks failed" in told
    assert "accepted by ann at 20" in told
    assert f"the accounts of ACME left\n      {FELL}" in told


def test_an_acceptance_counts_for_one_run(half, home):
    result, _ = half(**as_tags({ROWS: "why"}))
    assert result.success
    fill(home, accounts=110)
    result, found = half()
    assert not result.success
    assert found[ROWS].metadata["failed"].value == [
        "rows of account_360: 150 before, 110 now (-26.7 %; allowed is down to -20 %)"
    ]


def test_a_first_publish_of_a_date_before_all_others_is_compared_with_nothing(half, home):
    folder = home.current_path.readlink().name
    # the only publish is of a later date
    later = folder.replace("2024-06-09", "2024-06-20")
    (home.published_path / folder).rename(home.published_path / later)
    home.current_path.unlink()
    home.current_path.symlink_to(later)
    with duckdb.connect(str(home.warehouse_path)) as connection:
        connection.execute("update run.publishes set publish_id = ?", [later])
    result, found = half()
    assert result.success
    assert found[ROWS].metadata["compared_with"].value.startswith("nothing")


def test_a_wrong_tag_fails_the_release_checks(half):
    result, _ = half(**{ACCEPT_TAG: json.dumps({"release_complete": "why"})})
    assert not result.success
