"""The dbt project as assets, built and tested in one invocation of dbt."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version as distribution_version
from typing import Any

import dagster as dg
from packaging.version import Version

from ingestion.warehouse import open_warehouse
from orchestration.dbt_failures import built_models, read_failures
from orchestration.defs.home import HOME
from orchestration.defs.nightly import (
    FULL_REFRESH_TAG,
    as_of_date,
    as_of_dates,
    has_tag,
    may_begin,
)
from orchestration.lineage import LINEAGE_TABLES, lineage_tables
from orchestration.manifest import DBT_ARGUMENTS, Manifest, dbt_environment
from orchestration.metric_catalog import METRIC_CATALOG, metric_catalog
from orchestration.progress import Progress
from orchestration.report import read_conservation
from orchestration.upgrades import (
    begin_refresh,
    chain_is_outdated,
    drop_orphans,
    note_build,
    upgrades,
)
from settings import DBT_PROJECT, RUN_TABLES, Settings, run_tables


@contextmanager
def _dbt_out_of_sight() -> Iterator[None]:
    """Have what is imported meanwhile find no dbt-core.

    dagster-dbt can do without, and then leaves out dbt's adapters, and a hydrated manifest to
    choose all nodes of: two seconds of every night. dbt itself runs in a process of its own.
    """
    seen = sys.modules.get("dbt.version")
    sys.modules["dbt.version"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["dbt.version"]
        if seen:
            sys.modules["dbt.version"] = seen


with _dbt_out_of_sight():
    from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets


class FolderIsGroup(DagsterDbtTranslator):
    """Folder = schema = group; the key of a model is its schema and name."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The first folder below `models`, or the kind of what is no model."""
        folders = dbt_resource_props["fqn"][1:-1]
        return folders[0] if folders else f"{dbt_resource_props['resource_type']}s"


class WarehouseDbt(DbtCliResource):
    """dbt without two things that cost five seconds a night and serve other warehouses.

    dagster-dbt runs `dbt --version` once and loads an adapter of its own to count rows with.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(distribution_version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Any) -> None:
        return None


def definitions(settings: Settings, progress: Progress, manifest: Manifest) -> dg.Definitions:
    """The tables of `run`, and everything that dbt makes of raw."""
    # Handed to dbt by Dagster's resource along with the rest of the environment.
    os.environ.update(dbt_environment(settings))
    dbt = WarehouseDbt(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=sys.executable,
        global_config_flags=list(DBT_ARGUMENTS),
    )
    return dg.Definitions(
        assets=[_run_tables(settings, manifest), _dbt_models(settings, progress, manifest)],
        resources={"dbt": dbt},
    )


def _run_tables(settings: Settings, manifest: Manifest) -> dg.AssetsDefinition:
    tables = {**RUN_TABLES, **METRIC_CATALOG, **LINEAGE_TABLES}

    @dg.multi_asset(
        name="run_settings",
        required_resource_keys={HOME},
        specs=[
            dg.AssetSpec(
                key=["run", table],
                group_name="utilities",
                kinds={"duckdb"},
                partitions_def=as_of_dates(settings),
                description=description,
            )
            for table, description in tables.items()
        ],
        backfill_policy=dg.BackfillPolicy.multi_run(1),
    )
    def run_settings(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        told = may_begin(context.run, settings)
        write_run_tables(settings, as_of_date(context.run, settings), manifest)
        told += upgrades(settings, manifest)
        for table in tables:
            yield dg.MaterializeResult(
                asset_key=["run", table],
                metadata={"upgrades": dg.MetadataValue.json(told)}
                if told and table == "settings"
                else None,
            )

    return run_settings


def write_run_tables(settings: Settings, as_of: date, manifest: Manifest) -> None:
    """Make the schema `run` say what this run is for."""
    with open_warehouse(settings.warehouse_path) as connection:
        connection.execute("create schema if not exists run")
        connection.execute("begin")
        tables = (*run_tables(settings, as_of), metric_catalog(manifest), *lineage_tables(manifest))
        for table in tables:
            connection.execute(table.create)
            connection.execute(table.insert, table.values)
        connection.execute("commit")


def _dbt_models(settings: Settings, progress: Progress, manifest: Manifest) -> dg.AssetsDefinition:
    translator = FolderIsGroup()

    @dbt_assets(
        name="dbt_build",
        required_resource_keys={HOME, "dbt"},
        manifest=manifest,
        dagster_dbt_translator=translator,
        partitions_def=as_of_dates(settings),
        # dagster-dbt would hand a range of dates to one run; each date is a night of its own.
        backfill_policy=dg.BackfillPolicy.multi_run(1),
    )
    def dbt_build(context: dg.AssetExecutionContext) -> Iterator[Any]:
        dbt: DbtCliResource = context.resources.dbt
        # Unit tests judge the code, not the night: `make test` runs them.
        arguments = ["build", "--exclude-resource-type", "unit_test"]
        if has_tag(context.run, FULL_REFRESH_TAG) or chain_is_outdated(settings, manifest):
            arguments.append("--full-refresh")
            begin_refresh(settings)
        (settings.dbt_target_path / "run_results.json").unlink(missing_ok=True)
        with progress.station("dbt"):
            invocation = dbt.cli(
                arguments,
                context=context,
                target_path=settings.dbt_target_path,
                raise_on_error=False,
            )
            for event in invocation.stream_raw_events():
                data = event.raw_event["data"]
                if data.get("total"):
                    progress.step("dbt", data.get("index", 0), data["total"])
                    progress.note(f"{data['total']} models and tests")
                yield from event.to_default_asset_events(
                    manifest=manifest,
                    dagster_dbt_translator=translator,
                    context=context,
                    target_path=settings.dbt_target_path,
                )
            note_build(settings, manifest, built_models(settings.dbt_target_path))
            if invocation.process.returncode != 0:
                raise _failure(settings, str(invocation.get_error()))
            drop_orphans(settings, manifest)
        yield from _observed(settings, translator, manifest, context.partition_key)

    return dbt_build


def _observed(
    settings: Settings, translator: FolderIsGroup, manifest: Manifest, partition: str
) -> Iterator[dg.AssetObservation]:
    """Where the records of each entity went, on the model that judges them: one query for all."""
    models = {
        node["name"].rpartition("__")[2]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["name"].startswith("stg_native__")
    }
    for row in read_conservation(settings.warehouse_path, "published.audit_conservation"):
        if (node := models.get(row["entity"])) and row["records_read"]:
            counts = {name: value for name, value in row.items() if isinstance(value, int)}
            yield dg.AssetObservation(
                translator.get_asset_key(node),
                partition=partition,
                metadata={"dagster/row_count": row["current_rows"], **counts},
            )


def _failure(settings: Settings, said: str) -> dg.Failure:
    """What went wrong in dbt: the tests that failed with some of their rows, or what dbt said."""
    failures = read_failures(settings.dbt_target_path, settings.warehouse_path)
    return dg.Failure(
        description=f"dbt: {len(failures)} failed" if failures else said,
        metadata={"failures": dg.MetadataValue.json([failure.as_dict() for failure in failures])},
        allow_retries=False,
    )
