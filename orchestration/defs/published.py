"""Publish: the candidate, and the link that leads readers to it once it has passed its checks."""

from datetime import UTC, datetime

import dagster as dg

from ingestion import DOMAINS
from orchestration.defs.home import HOME
from orchestration.defs.nightly import MAKE_CURRENT_TAG, as_of_date, as_of_dates, has_tag
from orchestration.defs.raw import raw_key
from orchestration.manifest import Manifest, published_tables
from orchestration.progress import Progress
from orchestration.publishing import (
    Check,
    Publish,
    build_candidate,
    candidate_path,
    code_version,
    publish_candidate,
)
from orchestration.restatements import write_audit
from settings import Settings

CANDIDATE = dg.AssetKey(["publish", "candidate"])
CURRENT = dg.AssetKey(["publish", "current"])


def definitions(settings: Settings, progress: Progress, manifest: Manifest) -> dg.Definitions:
    """The candidate, and the publish that it becomes."""
    tables = published_tables(manifest)
    partitions = as_of_dates(settings)

    @dg.asset(
        key=CANDIDATE,
        group_name="publish",
        required_resource_keys={HOME},
        kinds={"duckdb", "parquet"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(1),
        # Every domain must have arrived well, also one that no published table uses yet.
        deps=[
            *(dg.AssetKey(["published", table.name]) for table in tables),
            *(raw_key(domain, "landed_files") for domain in DOMAINS),
        ],
        description="The published tables as a DuckDB file and Parquet, not seen by readers yet.",
    )
    def candidate(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with progress.station("candidate"):
            rows = build_candidate(settings, tables)
            restated = write_audit(settings, manifest, tables, as_of_date(context.run, settings))
            folder = candidate_path(settings)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            progress.note(f"{len(rows)} tables, {sum(rows.values()):,} rows, {restated:,} restated")
        return dg.MaterializeResult(
            metadata={"rows": dg.MetadataValue.json(rows), "restated": restated, "size_bytes": size}
        )

    @dg.asset(
        key=CURRENT,
        group_name="publish",
        required_resource_keys={HOME},
        kinds={"duckdb", "parquet"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(1),
        deps=[CANDIDATE],
        description="The folder that readers open: published/current.",
    )
    def current(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with progress.station("publish"):
            published = publish_candidate(
                settings,
                Publish(
                    as_of=as_of_date(context.run, settings),
                    run_id=context.run.run_id,
                    code_version=code_version(),
                    published_at=datetime.now(UTC),
                    checks=_checks(context),
                ),
                make_current=has_tag(context.run, MAKE_CURRENT_TAG),
            )
            progress.note(published.publish_id)
        return dg.MaterializeResult(
            metadata={
                "publish_id": published.publish_id,
                "folder": dg.MetadataValue.path(published.folder),
                "links": dg.MetadataValue.json(list(published.links)),
                "tables": published.tables,
                "rows": published.rows,
            }
        )

    return dg.Definitions(assets=[candidate, current])


def _checks(context: dg.AssetExecutionContext) -> tuple[Check, ...]:
    """The asset checks of this run so far: dbt's tests, and those of arrival and release."""
    logs = context.instance.all_logs(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    return tuple(
        Check(
            _table(check.asset_key),
            check.check_name,
            check.severity is dg.AssetCheckSeverity.ERROR,
            check.passed,
        )
        for check in (entry.get_dagster_event().asset_check_evaluation_data for entry in logs)
    )


def _table(key: dg.AssetKey) -> str:
    """An asset as `metric_lineage` calls it: a model by its name, what landed with its schema."""
    return ".".join(key.path) if key.path[0].startswith("raw_") else key.path[-1]
