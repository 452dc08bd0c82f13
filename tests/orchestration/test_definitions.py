"""The definitions as Dagster loads them, for the project's own dbt models."""

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ingestion import DOMAINS, ENTITIES
from orchestration.definitions import build
from orchestration.defs.home import HOME
from orchestration.manifest import load_manifest
from orchestration.night import dagster_instance
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


def test_what_enters_and_what_leaves_is_gated(graph):
    blocking = {
        (key.asset_key.to_user_string(), key.name)
        for key in graph.asset_check_keys
        if graph.get(key).blocking
    }
    assert blocking >= {
        *((f"raw_{domain}/landed_files", "files_readable") for domain in DOMAINS),
        *((f"raw_{domain}/landed_files", "arrived_whole") for domain in DOMAINS),
        ("publish/candidate", "release_complete"),
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
