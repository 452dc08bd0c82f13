"""Raw: one asset per landed entity, loaded by dlt, domain by domain."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from ingestion import DOMAINS, ENTITIES, LoadReport, load_domain, may_pass
from orchestration.dagster_runs import note_process
from orchestration.defs.home import HOME
from orchestration.defs.nightly import may_begin
from orchestration.progress import Progress
from settings import Settings

# Tables of a raw schema beside its entities: what was loaded, and what could not be read.
BOOKKEEPING = ("landed_files", "unparsed_lines")

# What may pass by itself is tried again after 10, 30 and 70 seconds. It is asked for where it is
# known what went wrong: as a policy of the step it would also try again what a person stopped.
RETRIES = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL)


def raw_key(domain: str, table: str) -> dg.AssetKey:
    """The key of a raw table, which is also that of its dbt source."""
    return dg.AssetKey([f"raw_{domain}", table])


def definitions(settings: Settings, progress: Progress) -> dg.Definitions:
    """For each domain the landing folder and the raw tables made from it."""
    folders = [
        dg.AssetSpec(
            landing_key(domain),
            group_name="landing",
            kinds={"file"},
            description=f"Files of the domain {domain} under the landing folder.",
        )
        for domain in DOMAINS
    ]
    return dg.Definitions(
        assets=[*folders, *(_domain_assets(domain, settings, progress) for domain in DOMAINS)]
    )


def landing_key(domain: str) -> dg.AssetKey:
    """The key of the folder that a domain's files land in."""
    return dg.AssetKey(["landing", domain])


def freshness(settings: Settings) -> dg.FreshnessPolicy:
    """What a night makes anew is stale when the publish is, and worth a look some time before."""
    hours = settings.stale_publish_hours
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=hours), warn_window=timedelta(hours=hours * 0.75)
    )


def _domain_assets(domain: str, settings: Settings, progress: Progress) -> dg.AssetsDefinition:
    # What earlier tries of a run loaded and noted: it stays so, and belongs to what the run tells.
    earlier: dict[str, LoadReport] = {}
    upgrades: dict[str, list[str]] = {}

    @dg.multi_asset(
        name=f"load_{domain}",
        required_resource_keys={HOME},
        specs=[
            dg.AssetSpec(
                raw_key(domain, table),
                deps=[landing_key(domain)],
                group_name=f"raw_{domain}",
                kinds={"dlt", "duckdb"},
                description=_description(domain, table),
                freshness_policy=freshness(settings) if table == "landed_files" else None,
            )
            for table in (*ENTITIES[domain], *BOOKKEEPING)
        ],
    )
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        note_process(context)
        run = context.run.run_id
        upgrades[run] = [*upgrades.get(run, []), *may_begin(context.run, settings)]
        with progress.station(f"landing {domain}"):
            try:
                report = load_domain(domain, settings, datetime.now(UTC))
            except Exception as error:
                if may_pass(error):
                    raise _again(context, progress, f"{type(error).__name__}: {error}") from error
                raise
            report = _together(earlier.pop(run, None), report)
            passing = [str(problem) for problem in report.problems if problem.may_pass]
            if passing and context.retry_number < RETRIES.max_retries:
                earlier[run] = report
                raise _again(context, progress, passing[0])
            progress.note(_told(report))
        yield from _results(domain, report, upgrades.pop(run))

    return load


def _again(context: dg.AssetExecutionContext, progress: Progress, said: str) -> Exception:
    """Ask for another try, a while later each time."""
    attempt = context.retry_number + 1
    seconds = RETRIES.calculate_delay(attempt)
    if attempt <= RETRIES.max_retries:
        left = f"try {attempt} of {RETRIES.max_retries} follows in {seconds:g} s"
        progress.note(left)
        context.log.warning(f"this may pass by itself, {left}: {said}")
    return dg.RetryRequested(max_retries=RETRIES.max_retries, seconds_to_wait=seconds)


def _together(earlier: LoadReport | None, report: LoadReport) -> LoadReport:
    """A load with what the tries before it loaded; problems are those that are left."""
    if earlier is None:
        return report
    report.files = [*earlier.files, *report.files]
    report.unknown_columns = [*earlier.unknown_columns, *report.unknown_columns]
    report.load_number = report.load_number or earlier.load_number
    report.seconds += earlier.seconds
    return report


def _results(
    domain: str, report: LoadReport, upgrades: list[str]
) -> Iterator[dg.MaterializeResult]:
    """What was made, table by table, with what an operator wants to see of it."""
    counts: dict[str, Counter[str]] = {entity: Counter() for entity in ENTITIES[domain]}
    for file in report.files:
        counts[file.entity].update(
            files=1,
            records=file.rows_read,
            unparsed_lines=file.unparsed_rows,
            size_bytes=file.size_bytes,
        )
    for entity, count in counts.items():
        unknown = sorted({c.column for c in report.unknown_columns if c.entity == entity})
        newest = _newest_extract(report, entity)
        yield dg.MaterializeResult(
            raw_key(domain, entity),
            metadata={
                **{
                    name: count[name]
                    for name in ("files", "records", "unparsed_lines", "size_bytes")
                },
                **({"newest_extract": newest} if newest else {}),
                **({"unknown_columns": unknown} if unknown else {}),
            },
        )
    yield dg.MaterializeResult(
        raw_key(domain, "unparsed_lines"), metadata={"records": report.unparsed_rows}
    )
    yield dg.MaterializeResult(
        raw_key(domain, "landed_files"), metadata=_load_metadata(report, upgrades)
    )


def _newest_extract(report: LoadReport, entity: str | None = None) -> str | None:
    """The newest date that a loaded file has in its name."""
    dates = [
        file.extract_date
        for file in report.files
        if file.extract_date and entity in (None, file.entity)
    ]
    return max(dates).isoformat() if dates else None


def _description(domain: str, table: str) -> str:
    texts = {
        "landed_files": f"Every file of the domain {domain} that was loaded.",
        "unparsed_lines": f"Lines of {domain} files that could not be parsed, as they stood.",
    }
    return texts.get(table, f"Every record of {domain}/{table} as it came, with its file and line.")


def _told(report: LoadReport) -> str:
    if report.problems:
        count = len(report.problems)
        return f"{count} problem{'s' * (count != 1)}, {len(report.files)} new files"
    if not report.files:
        return "nothing new"
    return f"{len(report.files)} files, {report.rows_read:,} records"


def _load_metadata(report: LoadReport, upgrades: list[str]) -> dict[str, dg.MetadataValue]:
    """What a load tells as a whole: the check `files_readable` and the summary read it."""
    newest = _newest_extract(report)
    return {
        "files": dg.MetadataValue.int(len(report.files)),
        "records": dg.MetadataValue.int(report.rows_read),
        "unparsed_lines": dg.MetadataValue.int(report.unparsed_rows),
        "size_bytes": dg.MetadataValue.int(sum(file.size_bytes for file in report.files)),
        "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
        **({"newest_extract": dg.MetadataValue.text(newest)} if newest else {}),
        "problems": dg.MetadataValue.json([str(problem) for problem in report.problems]),
        "unknown_columns": dg.MetadataValue.json(
            [f"{c.entity}.{c.column} ({c.location})" for c in report.unknown_columns]
        ),
        "ignored": dg.MetadataValue.json(list(report.ignored)),
        **({"upgrades": dg.MetadataValue.json(upgrades)} if upgrades else {}),
    }
