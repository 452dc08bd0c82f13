"""Publish: the candidate, and the link that leads readers to it once it has passed its checks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from ingestion import DOMAINS
from orchestration.defs.home import HOME
from orchestration.defs.nightly import as_of_date, as_of_dates, lead_of
from orchestration.defs.raw import freshness, raw_key
from orchestration.manifest import Manifest, published_tables
from orchestration.progress import Progress
from orchestration.publishing import (
    DATABASE,
    Check,
    Publish,
    build_candidate,
    candidate_path,
    code_version,
    publish_candidate,
)
from orchestration.report import read_conservation
from orchestration.restatements import write_audit
from orchestration.staleness import data_through
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
            as_of, lead = as_of_date(context.run, settings), lead_of(context.run)
            restated = write_audit(settings, manifest, tables, as_of, lead)
            progress.note(f"{len(rows)} tables, {sum(rows.values()):,} rows, {restated:,} restated")
        return dg.MaterializeResult(
            metadata={
                "rows": dg.MetadataValue.json(rows),
                "restated": restated,
                "seconds": round(progress.seconds["candidate"], 3),
                **_size_and_records(candidate_path(settings)),
            }
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
        freshness_policy=freshness(settings),
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
                lead_of(context.run),
            )
            progress.note(published.publish_id)
        return dg.MaterializeResult(
            metadata={
                "publish_id": published.publish_id,
                "folder": dg.MetadataValue.path(published.folder),
                "links": dg.MetadataValue.json(list(published.links)),
                "tables": published.tables,
                "rows": published.rows,
                "seconds": round(progress.seconds["publish"], 3),
                **_size_and_records(published.folder),
            }
        )

    return dg.Definitions(assets=[candidate, current])


def _size_and_records(folder: Path) -> dict[str, Any]:
    """What an operator wants to see of a publish: its size, how far data goes, what was refused."""
    database = folder / DATABASE
    conservation = read_conservation(database, "main.audit_conservation")
    return {
        "size_bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        "data_through": {
            domain: str(day) if day else None for domain, day in data_through(database).items()
        },
        "records_read": sum(row["records_read"] for row in conservation),
        "rejected": sum(row["rejected"] for row in conservation),
    }


def _checks(context: dg.AssetExecutionContext) -> tuple[Check, ...]:
    """The asset checks of this run so far: dbt's tests, and those of arrival and release."""
    logs = context.instance.all_logs(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    return tuple(_check(entry.get_dagster_event().asset_check_evaluation_data) for entry in logs)


def _check(check: dg.AssetCheckEvaluation) -> Check:
    said = {name: value.value for name, value in check.metadata.items()}
    failed = said.get("failed") or []
    at = said.get("accepted_at")
    # A check of drift is on the candidate for Dagster, and looks at one table of it.
    kind, _, rest = check.check_name.partition(".")
    return Check(
        rest.partition(".")[0] if kind == "drift" else _table(check.asset_key),
        check.check_name,
        check.severity is dg.AssetCheckSeverity.ERROR,
        check.passed,
        None if check.passed else "\n".join(map(str, failed)) or None,
        said.get("accepted_by"),
        said.get("accepted_reason"),
        datetime.fromisoformat(str(at)).replace(tzinfo=None) if at else None,
    )


def _table(key: dg.AssetKey) -> str:
    """An asset as `metric_lineage` calls it: a model by its name, what landed with its schema."""
    return ".".join(key.path) if key.path[0].startswith("raw_") else key.path[-1]
