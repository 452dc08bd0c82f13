"""The definitions as Dagster loads them, for the project's own dbt models."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ingestion import DOMAINS, ENTITIES
from orchestration.definitions import build
from orchestration.defs import home, nightly, raw
from orchestration.defs.home import HOME
from orchestration.instance import dagster_instance
from orchestration.manifest import load_manifest
from orchestration.progress import Progress
from orchestration.publishing import Lead, code_version
from settings import load_settings


@pytest.fixture(scope="module")
def home_settings(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return load_settings(environ={}, home=home, reporting_time_zone="Asia/Tokyo")


@pytest.fixture(scope="module")
def definitions(home_settings):
    return build(home_settings)


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def ancestors(graph, key):
    found, open_keys = set(), {key}
    while open_keys:
        parents = graph.get(open_keys.pop()).parent_keys - found
        found |= parents
        open_keys |= parents
    return {key.to_user_string() for key in found}


def test_lineage_reaches_from_the_landing_folder_to_the_published_file(graph):
    upstream = ancestors(graph, dg.AssetKey(["publish", "current"]))
    assert {f"landing/{domain}" for domain in DOMAINS} <= upstream
    assert {"raw_crm/accounts", "published/account_360", "run/settings"} <= upstream
    assert "landing/billing" in ancestors(graph, dg.AssetKey(["published", "account_mrr_monthly"]))


def test_every_dbt_source_is_an_asset_that_this_project_makes(graph):
    sources = {key for key in graph.get_all_asset_keys() if key.path[0].startswith(("raw_", "run"))}
    assert all(graph.get(key).is_materializable for key in sources)
    assert {key.path[-1] for key in sources} >= set(ENTITIES["crm"]) | {"landed_files"}


def test_folder_is_group(graph):
    for key in graph.get_all_asset_keys():
        if key.path[0] in ("staging", "intermediate", "marts", "published"):
            assert graph.get(key).group_name == key.path[0]


def test_every_data_test_of_the_dbt_project_is_an_asset_check(home_settings, graph):
    tests = {
        node["name"]
        for node in load_manifest(home_settings)["nodes"].values()
        if node["resource_type"] == "test"
    }
    assert tests
    assert tests <= {key.name for key in graph.asset_check_keys}


def test_dagster_dbt_sees_the_same_with_dbt_and_without(home_settings, graph):
    """It is imported without dbt-core here, for speed."""
    assert sys.modules["dagster_dbt.compat"].DBT_PYTHON_VERSION is None
    code = (
        "import sys, dagster_dbt\n"
        "assert dagster_dbt.compat.DBT_PYTHON_VERSION\n"
        "from orchestration.definitions import build\n"
        "from settings import load_settings\n"
        "graph = build(load_settings(environ={}, home=sys.argv[1])).resolve_asset_graph()\n"
        "keys = (*graph.get_all_asset_keys(), *graph.asset_check_keys)\n"
        "print(*sorted(map(str, keys)), sep='\\n')"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code, str(home_settings.home)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    ours = sorted(map(str, (*graph.get_all_asset_keys(), *graph.asset_check_keys)))
    assert len(ours) > 400
    assert seen == ours


def test_what_enters_and_what_leaves_is_gated(home_settings, graph):
    blocking = {
        (key.asset_key.to_user_string(), key.name)
        for key in graph.asset_check_keys
        if graph.get(key).blocking
    }
    assert blocking >= {
        *((f"raw_{domain}/landed_files", "files_readable") for domain in DOMAINS),
        *((f"raw_{domain}/landed_files", "arrived_whole") for domain in DOMAINS),
        ("publish/candidate", "release_complete"),
        *(("publish/candidate", one.name) for one in home_settings.release.drift if one.block),
    }
    parents = graph.get(dg.AssetKey(["publish", "candidate"])).parent_keys
    assert {dg.AssetKey([f"raw_{domain}", "landed_files"]) for domain in DOMAINS} <= parents


def test_every_step_holds_the_home_folder(definitions):
    """Also one that a person materializes alone."""
    steps = definitions.resolve_job_def("nightly").all_node_defs
    executed = [step for step in steps if isinstance(step, dg.OpDefinition)]
    assert len(executed) > 10
    assert [step.name for step in executed if HOME not in step.required_resource_keys] == []


def test_the_night_is_partitioned_by_as_of_date_up_to_today(definitions):
    job = definitions.resolve_job_def("nightly")
    zone = ZoneInfo("Asia/Tokyo")
    keys = job.partitions_def.get_partition_keys(
        current_time=datetime(2024, 6, 10, 0, 30, tzinfo=zone)
    )
    assert (keys[0], keys[-1]) == ("2000-01-01", "2024-06-10")


def test_the_schedule_is_in_the_reporting_time_zone_and_off(definitions):
    schedule = definitions.resolve_schedule_def("every_night")
    assert schedule.execution_timezone == "Asia/Tokyo"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    at = datetime(2024, 6, 10, 3, 0, tzinfo=ZoneInfo("Asia/Tokyo")).astimezone(ZoneInfo("UTC"))
    context = dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=definitions.get_repository_def()
    )
    [request] = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == "2024-06-10"
    assert request.tags["account360/as_of"] == "2024-06-10"
    assert request.tags["account360/code_version"] == code_version()


def test_the_hour_of_the_night_is_a_setting_and_every_tick_is_a_run(home_settings):
    settings = replace(home_settings, nightly_cron="30 1,13 * * *")
    definitions = dg.Definitions.merge(
        home.definitions(settings),
        nightly.definitions(settings, nightly.nightly_job(settings)),
        raw.definitions(settings, Progress()),
    )
    schedule = definitions.resolve_schedule_def("every_night")
    assert schedule.cron_schedule == "30 1,13 * * *"
    keys = set()
    for hour in (1, 13):
        at = datetime(2024, 6, 10, hour, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
        context = dg.build_schedule_context(
            scheduled_execution_time=at, repository_def=definitions.get_repository_def()
        )
        [request] = schedule.evaluate_tick(context).run_requests
        assert request.partition_key == "2024-06-10"
        keys.add(request.run_key)
    assert len(keys) == 2


def test_what_starts_runs_is_off_and_what_only_watches_is_on(definitions):
    names = {
        sensor.name: sensor.default_status.value
        for sensor in definitions.get_repository_def().sensor_defs
        if sensor.name != "default_automation_condition_sensor"
    }
    assert names == {
        "landing_files": "STOPPED",
        "failed_runs": "RUNNING",
        "ended_runs": "RUNNING",
        "stale_data": "RUNNING",
        "watch": "RUNNING",
    }


def test_each_date_of_a_backfill_is_a_run_of_its_own_that_says_its_date(definitions):
    job = definitions.resolve_job_def("nightly")
    assert job.backfill_policy.max_partitions_per_run == 1
    tags = job.get_tags_for_partition_key("2024-06-10", None)
    assert tags["account360/as_of"] == "2024-06-10"


def test_a_run_of_a_backfill_leaves_current_as_it_is():
    def lead(**tags):
        named = {name.replace("__", "/"): value for name, value in tags.items()}
        return nightly.lead_of(dg.DagsterRun(job_name="nightly", tags=named))

    assert lead() is Lead.BY_DATE
    assert lead(account360__make_current="true") is Lead.CURRENT
    assert lead(account360__make_current="false", account360__beside="false") is Lead.BY_DATE
    assert lead(dagster__backfill="x", account360__make_current="true") is Lead.BESIDE
    for one in Lead:
        assert nightly.lead_of(dg.DagsterRun("nightly", tags=nightly.lead_tags(one))) is one


def test_domains_and_the_publish_are_to_be_made_as_often_as_a_publish_is_fresh(
    home_settings, graph
):
    hours = home_settings.stale_publish_hours
    fresh = {
        key.to_user_string(): policy
        for key in graph.get_all_asset_keys()
        if (policy := graph.get(key).freshness_policy)
    }
    assert fresh.keys() == {
        *(f"raw_{domain}/landed_files" for domain in DOMAINS),
        "publish/current",
    }
    for policy in fresh.values():
        assert policy.fail_window.to_timedelta() == timedelta(hours=hours)
        assert policy.warn_window.to_timedelta() == timedelta(hours=0.75 * hours)


def test_the_event_log_keeps_what_the_stock_storage_reads(tmp_path):
    settings = load_settings(environ={}, home=tmp_path)

    @dg.asset(check_specs=[dg.AssetCheckSpec("fine", asset="thing")])
    def thing():
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    runs = []
    for _ in range(3):
        with dagster_instance(settings) as instance:
            runs.append(dg.materialize([thing], instance=instance).run_id)
    stock = settings.dagster_path / "dagster.yaml"
    stock.write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(settings.dagster_path)) as instance:
        for run in runs:
            events = [entry.dagster_event for entry in instance.all_logs(run)]
            kinds = [event.event_type_value for event in events if event]
            assert kinds.count("ASSET_MATERIALIZATION") == 1
            assert kinds.count("ASSET_CHECK_EVALUATION") == 1
            assert kinds[-1] == "PIPELINE_SUCCESS"
