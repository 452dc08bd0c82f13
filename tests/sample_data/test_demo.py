"""The landing folder as a whole: same bytes, every entity, few rejects, nothing from the future."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sample_data import DEFAULT_AS_OF, DEFAULT_SEED, DemoSummary, write_demo
from sample_data.contract import LAYOUTS
from tests.sample_data.reading import columns_of, instant, records_of

# Dates that may lie ahead: plans, terms, and an announced end.
AHEAD = {
    "renewal_date",
    "start_date",
    "end_date",
    "expiration_date",
    "due_date",
    "expected_close_date",
}
FACTS = {
    "updated_at",
    "join_date",
    "inactive_time",
    "assigned_at",
    "unassigned_at",
    "product_join_date",
    "deactivated_at",
    "occurred_at",
    "added_at",
    "created_at",
    "closed_at",
    "triggered_at",
    "completed_at",
    "submitted_at",
    "started_at",
    "ended_at",
    "recorded_on",
    "paid_at",
    "rate_date",
    "changed_at",
}


def _hashes(landing: Path) -> dict[str, str]:
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(landing.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(demo: DemoSummary, tmp_path: Path) -> None:
    again = write_demo(tmp_path, seed=DEFAULT_SEED, scale=0.3)
    assert _hashes(tmp_path) == _hashes(demo.landing)
    assert again.cases == demo.cases


def test_the_bytes_do_not_hang_on_the_hash_seed(demo: DemoSummary, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, sample_data as s; s.write_demo(pathlib.Path(sys.argv[1]), scale=0.3)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        cwd=Path(__file__).parents[2],
    )
    assert _hashes(tmp_path) == _hashes(demo.landing)


def test_another_seed_gives_another_company(demo: DemoSummary, tmp_path: Path) -> None:
    write_demo(tmp_path, seed=DEFAULT_SEED + 1, scale=0.3)
    mine, theirs = _hashes(tmp_path), _hashes(demo.landing)
    name = "crm/accounts/2024-06-24-history.jsonl.gz"
    assert mine[name] != theirs[name]


def test_the_default_demo_has_the_promised_size(full_demo: DemoSummary) -> None:
    assert full_demo.size_bytes < 25_000_000
    assert 60_000 <= full_demo.records["events"] <= 150_000
    accounts = {
        record["account_id"]
        for file in full_demo.files
        if file.entity == "accounts"
        for record in records_of(full_demo.landing / file.location)
    }
    assert 115 <= len(accounts) <= 130


def test_the_contract_is_the_one_of_the_ingestion_room() -> None:
    from ingestion.entities import ENTITIES

    theirs = {
        name: (domain, entity.columns, set(entity.required))
        for domain, entities in ENTITIES.items()
        for name, entity in entities.items()
    }
    mine = {name: (each.domain, each.columns) for name, each in LAYOUTS.items()}
    assert mine == {name: each[:2] for name, each in theirs.items()}
    for name, each in LAYOUTS.items():
        formats = {each.history, *each.nightly}
        if any(each.startswith("jsonl") for each in formats):
            assert theirs[name][2] <= set(each.required), f"{name}: null keys would be left out"


@pytest.mark.parametrize("entity", sorted(LAYOUTS))
def test_every_file_has_the_columns_of_its_entity(demo: DemoSummary, entity: str) -> None:
    layout = LAYOUTS[entity]
    files = [file for file in demo.files if file.entity == entity]
    assert files, f"{entity} never lands"
    seen: set[str] = set()
    for file in files:
        found = columns_of(demo.landing / file.location)
        assert set(layout.required) <= found, file.location
        assert found - set(layout.columns) <= ({"source_campaign"} if entity == "deals" else set())
        seen |= found
    assert set(layout.columns) - seen <= {"custom_value_dimensions", "custom_event_dimensions"}


def test_all_formats_and_all_nights_occur(demo: DemoSummary) -> None:
    extensions = {file.location.split("/")[-1].split(".", 1)[1] for file in demo.files}
    assert extensions == {"jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"}
    assert demo.nights[-1] == DEFAULT_AS_OF - timedelta(days=1)
    assert {file.extract_date for file in demo.files} == set(demo.nights)
    for file in demo.files:
        found = re.findall(r"\d{4}-\d{2}-\d{2}", file.location)
        assert found == [file.extract_date.isoformat()]
        assert (demo.landing / file.location).stat().st_size == file.size_bytes


def test_records_are_counted_as_a_loader_counts_them(demo: DemoSummary) -> None:
    broken = {case.location for case in demo.cases_of("reject_unparseable_line")}
    for file in demo.files:
        read = sum(1 for _ in records_of(demo.landing / file.location))
        lost = 0 if file.location not in broken else 1
        assert lost <= file.records - read <= 2 * lost, file.location


def test_rejects_stay_under_the_threshold(demo: DemoSummary, full_demo: DemoSummary) -> None:
    for summary in (demo, full_demo):
        for entity, rejects in summary.rejects.items():
            assert rejects <= 0.05 * summary.records[entity], entity
            assert summary.records[entity] > 0, entity


def test_no_file_knows_what_happened_after_its_night(demo: DemoSummary) -> None:
    spoiled = {(case.location, case.key) for case in demo.cases if case.is_reject}
    announced = {case.key for case in demo.cases_of("churn_announced")}
    for file in demo.files:
        night = file.extract_date
        after = datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=1)
        for record in records_of(demo.landing / file.location):
            facts = {name: instant(record.get(name)) for name in FACTS}
            late = [name for name, moment in facts.items() if moment and moment >= after]
            if file.entity == "accounts" and record["account_id"] in announced:
                late = [name for name in late if name != "inactive_time"]
            if late and any(location == file.location for location, _ in spoiled):
                late = [name for name in late if facts[name].year != 2099]
            assert not late, (file.location, record, late)


def test_dates_that_may_lie_ahead_do() -> None:
    assert not AHEAD & FACTS


@pytest.mark.parametrize(("nights", "as_of"), [(1, date(2024, 7, 1)), (3, date(2025, 3, 1))])
def test_other_calendars_work(tmp_path: Path, nights: int, as_of: date) -> None:
    summary = write_demo(tmp_path, scale=0.1, nights=nights, as_of=as_of)
    assert len(summary.nights) == nights
    assert summary.nights[-1] == as_of - timedelta(days=1)
    for entity, rejects in summary.rejects.items():
        assert rejects <= 0.05 * summary.records[entity], entity


def test_bad_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scale"):
        write_demo(tmp_path, scale=0)
    with pytest.raises(ValueError, match="nights"):
        write_demo(tmp_path, nights=0)
    assert not list(tmp_path.iterdir())
