"""Checks where data enters and where it leaves; a blocking one stops what stands behind it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import dagster as dg
import duckdb

from expectations import Finding, current_examiner
from expectations.arrival import Agreement, Stale, arrival_frames
from expectations.release import release_frames
from expectations.release.drift import (
    DriftResult,
    drift_frames,
    drift_results,
    measure_drift,
    sentence,
    unknown_names,
)
from ingestion import DOMAINS, ENTITIES
from orchestration.acceptance import Acceptance
from orchestration.defs.home import HOME
from orchestration.defs.nightly import accepted_checks, as_of_date, lead_of
from orchestration.defs.published import CANDIDATE
from orchestration.defs.raw import raw_key
from orchestration.manifest import Manifest, PublishedTable, published_tables
from orchestration.progress import Progress
from orchestration.publishing import (
    DATABASE,
    candidate_path,
    parquet_rows,
    previous_publish,
    publish_as_of,
    warehouse_rows,
)
from orchestration.restatements import OWN_TABLES, audit_rows
from settings import Settings, SettingsError
from settings.files import near
from settings.release import QUANTILES, TOTAL

_NUMBERS = re.compile(r"(\w*int|integer|decimal|double|float|real)\b", re.IGNORECASE)


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
                description="Fresh, in the columns of before, and with clocks that are right.",
            ),
        ],
    )
    def arrival(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with progress.station(f"arrival checks of {domain}"):
            as_of = as_of_date(context.run, settings)
            agreement = agreement_with(domain, settings)
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
                frames = arrival_frames(connection, domain, agreement, as_of)
            findings = current_examiner().examine("arrival", frames)
        yield _files_readable(context.instance, key)
        yield _result(findings, key, "arrived_whole", blocking=True)
        yield _result(findings, key, "arrived_as_usual", blocking=False)

    return arrival


def agreement_with(domain: str, settings: Settings) -> Agreement:
    """What the contract and the settings say of the sources of a domain."""
    return Agreement(
        contract={name: entity.columns for name, entity in ENTITIES[domain].items()},
        keys={name: entity.key for name, entity in ENTITIES[domain].items()},
        complete=[name for name in ENTITIES[domain] if name in settings.full_extract_entities],
        shrink_pct=settings.full_extract_shrink_pct,
        stale={
            entity: Stale(
                settings.stale_after_days.of(domain, entity),
                settings.stale_sources.of(domain, entity) == "block",
            )
            for entity in dict.fromkeys(
                [
                    "",
                    *settings.stale_after_days.entities(domain),
                    *settings.stale_sources.entities(domain),
                ]
            )
        },
        accepted_drift=settings.accepted_drift,
        clock_skew_pct=settings.clock_skew_pct,
        time_zone=settings.reporting_time_zone,
    )


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
    _refuse_unknown(settings, tables)
    _refuse_texts(settings, manifest)

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
                description="No MRR is negative.",
            ),
            *(
                dg.AssetCheckSpec(
                    check.name,
                    asset=CANDIDATE,
                    blocking=check.block is not None,
                    description=sentence(check),
                )
                for check in settings.release.drift
            ),
        ],
    )
    def release(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with progress.station("release checks"):
            candidate = candidate_path(settings)
            expected = warehouse_rows(settings, tables) | audit_rows(settings)
            as_of = as_of_date(context.run, settings)
            last = previous_publish(settings, as_of, lead_of(context.run))
            with duckdb.connect(str(candidate / DATABASE), read_only=True) as connection:
                frames = release_frames(
                    connection,
                    expected,
                    parquet_rows(candidate),
                    as_of,
                    [table.name for table in tables if table.view_of is not None],
                )
                changes = measure_drift(
                    connection,
                    settings.release,
                    last / DATABASE if last else None,
                    (as_of - publish_as_of(last)).days if last else 0,
                )
            findings = current_examiner().examine("release", frames | drift_frames(changes))
        drift = drift_results(settings.release, changes, findings)
        others = [finding for finding in findings if finding.frame in frames]
        yield _result(others, CANDIDATE, "release_complete", blocking=True)
        yield _result(others, CANDIDATE, "release_as_usual", blocking=False)
        accepted = accepted_checks(context.run, settings)
        for result in drift:
            yield _drift_result(result, last.name if last else None, accepted)

    return release


def _refuse_unknown(settings: Settings, tables: Sequence[PublishedTable]) -> None:
    """Raise `SettingsError` where a check of drift names what is not published."""
    published = {table.name: list(table.column_descriptions) for table in (*tables, *OWN_TABLES)}
    for check, name in unknown_names(settings.release.drift, published):
        known = published.get(check.table, published)
        of = f"column of {check.table}" if check.table in published else "published table"
        raise SettingsError(
            f"{settings.release_file}, {check.name}: {name!r} is no {of}: {near(name, known)}"
            f"allowed is {', '.join(sorted(known))}"
        )


def _refuse_texts(settings: Settings, manifest: Manifest) -> None:
    """Raise `SettingsError` where numbers are asked of a column that has none."""
    kinds = {
        (node["name"], column): contract.get("data_type") or ""
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        for column, contract in node["columns"].items()
    }
    for check in settings.release.drift:
        kind = kinds.get((check.table, check.column), "")
        if check.measure in (TOTAL, QUANTILES) and kind and not _NUMBERS.match(kind):
            raise SettingsError(
                f"{settings.release_file}, {check.name}: {check.column} is {kind}: allowed is a "
                "column of numbers"
            )


def _drift_result(
    result: DriftResult, compared_with: str | None, accepted: Mapping[str, Acceptance]
) -> dg.AssetCheckResult:
    """How a check of drift ended; one that was accepted lets the publish through, and says so."""
    acceptance = accepted.get(result.check.name)
    metadata = {
        "failed": dg.MetadataValue.json(result.failed),
        "compared_with": compared_with or "nothing: there is no publish of this date or before",
        "values_compared": result.compared,
    }
    if acceptance and result.failed:
        metadata |= {
            "accepted_by": acceptance.by,
            "accepted_reason": acceptance.reason,
            "accepted_at": acceptance.at.isoformat(timespec="seconds"),
        }
    elif acceptance:
        metadata["acceptance_not_needed"] = acceptance.reason
    is_blocked = bool(result.blocked) and not acceptance
    return dg.AssetCheckResult(
        asset_key=CANDIDATE,
        check_name=result.check.name,
        passed=not result.failed,
        severity=dg.AssetCheckSeverity.ERROR
        if is_blocked or (result.check.block and not result.failed)
        else dg.AssetCheckSeverity.WARN,
        description=f"accepted by {acceptance.by}: {acceptance.reason}"
        if acceptance and result.failed
        else None,
        metadata=metadata,
    )


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
