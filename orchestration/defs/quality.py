"""Checks where data enters and where it leaves; a blocking one stops what stands behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import dagster as dg
import duckdb

from expectations import Finding, current_examiner
from expectations.arrival import arrival_frames
from expectations.release import release_frames
from ingestion import DOMAINS, ENTITIES
from orchestration.defs.home import HOME
from orchestration.defs.nightly import as_of_date
from orchestration.defs.published import CANDIDATE
from orchestration.defs.raw import raw_key
from orchestration.manifest import Manifest, published_tables
from orchestration.progress import Progress
from orchestration.publishing import (
    DATABASE,
    candidate_path,
    current_publish,
    parquet_rows,
    warehouse_rows,
)
from orchestration.restatements import audit_rows
from settings import Settings


def definitions(settings: Settings, progress: Progress, manifest: Manifest) -> dg.Definitions:
    """The checks of arrival, one set per domain, and those of release."""
    return dg.Definitions(
        asset_checks=[
            *(_arrival_checks(domain, settings, progress) for domain in DOMAINS),
            _release_checks(settings, progress, manifest),
        ]
    )


def _arrival_checks(
    domain: str, settings: Settings, progress: Progress
) -> dg.AssetChecksDefinition:
    key = raw_key(domain, "landed_files")

    @dg.multi_asset_check(
        name=f"arrival_{domain}",
        required_resource_keys={HOME},
        specs=[
            dg.AssetCheckSpec(
                "files_readable",
                asset=key,
                blocking=True,
                description="Every file could be read and has the columns it must have.",
            ),
            dg.AssetCheckSpec(
                "arrived_whole",
                asset=key,
                blocking=True,
                description="Volume and columns are what they must be.",
            ),
            dg.AssetCheckSpec(
                "arrived_as_usual",
                asset=key,
                description="Fresh, and without columns that nobody expects.",
            ),
        ],
    )
    def arrival(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with progress.station(f"arrival checks of {domain}"):
            as_of = as_of_date(context.run, settings)
            contract = {name: entity.columns for name, entity in ENTITIES[domain].items()}
            complete = {
                name: entity.key
                for name, entity in ENTITIES[domain].items()
                if name in settings.full_extract_entities
            }
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
                frames = arrival_frames(
                    connection,
                    domain,
                    contract,
                    as_of,
                    complete,
                    settings.full_extract_shrink_pct,
                )
            findings = current_examiner().examine("arrival", frames)
        yield _files_readable(context.instance, key)
        yield _result(findings, key, "arrived_whole", blocking=True)
        yield _result(findings, key, "arrived_as_usual", blocking=False)

    return arrival


def _files_readable(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Whether the last load of a domain came across files that it had to leave alone."""
    event = instance.get_latest_materialization_event(key)
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    problems = metadata["problems"].value if "problems" in metadata else []
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="files_readable",
        passed=not problems,
        metadata={"failed": dg.MetadataValue.json(problems)},
    )


def _release_checks(
    settings: Settings, progress: Progress, manifest: Manifest
) -> dg.AssetChecksDefinition:
    tables = published_tables(manifest)

    @dg.multi_asset_check(
        name="release",
        required_resource_keys={HOME},
        specs=[
            dg.AssetCheckSpec(
                "release_complete",
                asset=CANDIDATE,
                blocking=True,
                description="Every published table is there, whole, of this night and in range.",
            ),
            dg.AssetCheckSpec(
                "release_as_usual",
                asset=CANDIDATE,
                description="Rows and totals are near the last publish, no MRR is negative.",
            ),
        ],
    )
    def release(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with progress.station("release checks"):
            candidate = candidate_path(settings)
            expected = warehouse_rows(settings, tables) | audit_rows(settings)
            last = current_publish(settings)
            with duckdb.connect(str(candidate / DATABASE), read_only=True) as connection:
                frames = release_frames(
                    connection,
                    expected,
                    parquet_rows(candidate),
                    as_of_date(context.run, settings),
                    last / DATABASE if last else None,
                    [table.name for table in tables if table.view_of is not None],
                )
            findings = current_examiner().examine("release", frames)
        yield _result(findings, CANDIDATE, "release_complete", blocking=True)
        yield _result(findings, CANDIDATE, "release_as_usual", blocking=False)

    return release


def _result(
    findings: Sequence[Finding], key: dg.AssetKey, check: str, blocking: bool
) -> dg.AssetCheckResult:
    """The findings that block, or those that warn, as one check."""
    mine = [finding for finding in findings if finding.blocking is blocking]
    failed = [finding for finding in mine if not finding.success]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=check,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        metadata={
            "failed": dg.MetadataValue.json([str(finding) for finding in failed]),
            "expectations": dg.MetadataValue.json([asdict(finding) for finding in mine]),
        },
    )
