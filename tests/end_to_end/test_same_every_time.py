"""The same records and the same as-of date publish the same, whenever and however they landed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from sample_data import DemoSummary
from tests.end_to_end.nights import Home, Night, contents, parquet_contents, written

pytestmark = pytest.mark.slow

DEMO = pytest.mark.xdist_group("same_every_time")
FULL_EXTRACTS = pytest.mark.xdist_group("full_extracts")


@dataclass(frozen=True)
class Batch:
    """All files at once, in one home: the night, once more, and twice as of an earlier date."""

    early_date: date
    first: Night
    again: Night
    early: Night
    early_made_current: Night


@pytest.fixture(scope="module")
def batch(empty_home: Callable[[], Home], demo_home: Path, demo: DemoSummary) -> Batch:
    home = empty_home()
    shutil.copytree(demo_home / "landing", home.landing, dirs_exist_ok=True)
    early = demo.nights[0] + timedelta(days=1)
    return Batch(
        early,
        home.night(demo.as_of),
        home.night(demo.as_of),
        home.night(early),
        home.night(early, "--make-current"),
    )


@pytest.fixture(scope="module")
def night_by_night(
    empty_home: Callable[[], Home], demo_home: Path, demo: DemoSummary
) -> list[Night]:
    """The same files, each in the night of its date; each night as of the day after."""
    home = empty_home()
    landed = demo_home / "landing"
    nights = []
    for day in demo.nights:
        for file in demo.files:
            if file.extract_date == day:
                target = home.landing / file.location
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(landed / file.location, target)
        nights.append(home.night(day + timedelta(days=1)))
    return nights


def differences(left: Path, right: Path, but: str = "nothing") -> dict[str, list[tuple]]:
    """Tables that two published files do not have in common, with some of the rows that differ."""
    ours, theirs = contents(left), contents(right)
    names = {name for name in ours.keys() | theirs.keys() if not re.match(but, name)}
    return {
        name: sorted(set(ours.get(name, [])) ^ set(theirs.get(name, [])), key=repr)[:6]
        for name in sorted(names)
        if ours.get(name) != theirs.get(name)
    }


@DEMO
def test_all_nights_published(batch: Batch, night_by_night: list[Night]) -> None:
    nights = [batch.first, batch.again, batch.early, batch.early_made_current, *night_by_night]
    assert [night.exit_code for night in nights] == [0] * len(nights), [n.out for n in nights]


@DEMO
def test_another_empty_home_publishes_the_same(batch: Batch, demo_night: Night) -> None:
    assert differences(batch.first.database, demo_night.database) == {}
    assert parquet_contents(batch.first.database) == parquet_contents(demo_night.database)


@DEMO
def test_the_same_home_publishes_the_same_again(batch: Batch) -> None:
    assert batch.again.publish_id != batch.first.publish_id
    assert "nothing new" in batch.again.out
    assert differences(batch.again.database, batch.first.database) == {}
    assert parquet_contents(batch.again.database) == parquet_contents(batch.first.database)


@DEMO
def test_several_nights_come_to_the_same_as_one_batch(
    night_by_night: list[Night], demo_night: Night
) -> None:
    assert differences(night_by_night[-1].database, demo_night.database) == {}


@DEMO
def test_an_earlier_date_gives_what_was_published_then(
    batch: Batch, night_by_night: list[Night]
) -> None:
    """But for the audit, which counts what landed since."""
    then = night_by_night[0].database
    assert differences(batch.early.beside(batch.early_date), then, but="audit_") == {}


@DEMO
def test_an_earlier_date_goes_beside(batch: Batch) -> None:
    assert batch.early.publish_id == batch.again.publish_id
    assert f"as_of={batch.early_date}" in batch.early.out
    assert "--make-current" in batch.early.out
    dates = {
        path: Night.shows(night, "select distinct as_of_date from account_360")[1:]
        for path, night in (("then", batch.early), ("later", batch.early_made_current))
    }
    assert dates == {"then": [["2024-07-01"]], "later": [[str(batch.early_date)]]}


@DEMO
def test_make_current_leads_readers_to_the_earlier_date(batch: Batch) -> None:
    night = batch.early_made_current
    assert night.publish_id.startswith(str(batch.early_date))
    assert night.beside(batch.early_date).samefile(night.database)
    assert differences(night.database, batch.early.beside(batch.early_date)) == {}


# Complete extracts: beta is missing from the second and listed again in the third.
EXTRACTS = {
    "2024-06-01": ("alpha", "beta", "gamma"),
    "2024-06-08": ("alpha", "gamma"),
    "2024-06-12": ("alpha", "beta", "gamma"),
}


@pytest.fixture(scope="module")
def deletion(empty_home: Callable[[], Home]) -> dict[str, Night]:
    """Nights by their as-of dates, with accounts declared complete."""
    home = empty_home()
    home.land(
        {
            "billing/subscriptions.csv": [
                {"subscription_id": account, "account_id": account, "start_date": "2024-01-01"}
                | {"cycle_length": 1, "cycle_unit": "month", "total_revenue": 10}
                for account in EXTRACTS["2024-06-01"]
            ]
        }
    )
    nights = {}
    for day, as_of in zip(EXTRACTS, ("2024-06-05", "2024-06-10", "2024-06-15"), strict=True):
        home.land(
            {
                f"crm/accounts/{day}.jsonl": [
                    {"account_id": account, "name": account, "join_date": "2024-01-01"}
                    for account in EXTRACTS[day]
                ]
            }
        )
        nights[as_of] = home.night(as_of, full_extract_entities="accounts")
    nights["2024-06-10 again"] = home.night("2024-06-10", full_extract_entities="accounts")
    return nights


@FULL_EXTRACTS
@pytest.mark.parametrize(
    ("as_of", "mrr"), [("2024-06-05", "30"), ("2024-06-10", "20"), ("2024-06-15", "30")]
)
def test_an_account_that_an_extract_leaves_out_is_gone_until_one_lists_it(
    deletion: dict[str, Night], as_of: str, mrr: str
) -> None:
    night = deletion[as_of]
    assert night.exit_code == 0, night.out
    found = night.shows(
        """
        select
            string_agg(account_id, '+' order by account_id) as accounts,
            sum(ending_mrr) as mrr,
            (select count(distinct account_id) from account_mrr_monthly) as with_months,
            (select count(distinct account_id) from account_subscriptions) as with_terms,
            (select sum(abs(difference)) from audit_conservation) as difference
        from account_360
        """
    )
    expected = {
        "30": """
            accounts         mrr with_months with_terms difference
            alpha+beta+gamma 30  3           3          0
        """,
        "20": """
            accounts    mrr with_months with_terms difference
            alpha+gamma 20  2           2          0
        """,
    }
    assert found == written(expected[mrr])


@FULL_EXTRACTS
def test_a_later_extract_does_not_change_what_was_deleted_then(deletion: dict[str, Night]) -> None:
    again = deletion["2024-06-10 again"].beside("2024-06-10")
    assert differences(again, deletion["2024-06-10"].database, but="audit_") == {}
