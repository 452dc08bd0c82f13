"""Raw: one asset per landed entity, loaded by dlt, domain by domain."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from ingestion import DOMAINS, ENTITIES, LoadReport, load_domain
from orchestration.defs.home import HOME
from orchestration.progress import Progress
from settings import Settings

# Tables of a raw schema beside its entities: what was loaded, and what could not be read.
BOOKKEEPING = ("landed_files", "unparsed_lines")


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


def _domain_assets(domain: str, settings: Settings, progress: Progress) -> dg.AssetsDefinition:
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
            )
            for table in (*ENTITIES[domain], *BOOKKEEPING)
        ],
    )
    def load() -> Iterator[dg.MaterializeResult]:
        with progress.station(f"landing {domain}"):
            report = load_domain(domain, settings, datetime.now(UTC))
            progress.note(_told(report))
        files = Counter(file.entity for file in report.files)
        records: Counter[str] = Counter()
        for file in report.files:
            records[file.entity] += file.rows_read
        for entity in ENTITIES[domain]:
            unknown = sorted({c.column for c in report.unknown_columns if c.entity == entity})
            yield dg.MaterializeResult(
                raw_key(domain, entity),
                metadata={
                    "files": files[entity],
                    "records": records[entity],
                    **({"unknown_columns": unknown} if unknown else {}),
                },
            )
        yield dg.MaterializeResult(raw_key(domain, "unparsed_lines"))
        yield dg.MaterializeResult(raw_key(domain, "landed_files"), metadata=_load_metadata(report))

    return load


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


def _load_metadata(report: LoadReport) -> dict[str, dg.MetadataValue]:
    """What a load tells as a whole: the check `files_readable` and the summary read it."""
    return {
        "files": dg.MetadataValue.int(len(report.files)),
        "records": dg.MetadataValue.int(report.rows_read),
        "problems": dg.MetadataValue.json([str(problem) for problem in report.problems]),
        "unknown_columns": dg.MetadataValue.json(
            [f"{c.entity}.{c.column} ({c.location})" for c in report.unknown_columns]
        ),
        "ignored": dg.MetadataValue.json(list(report.ignored)),
    }
