"""Write, audit, publish: what readers see, before, during and after, also when a run is killed."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.manifest import PublishedTable
from orchestration.publishing import (
    Check,
    Lead,
    Publish,
    PublishError,
    build_candidate,
    candidate_path,
    code_version,
    current_publish,
    heal,
    parquet_rows,
    previous_publish,
    publish,
    publish_candidate,
    sealing,
    warehouse_rows,
)
from tests.orchestration.small_warehouse import TABLES, fill

AS_OF = date(2024, 6, 10)
START = datetime(2024, 6, 10, 3, 0, 0, tzinfo=UTC)
CHECKS = (
    Check("raw_crm.landed_files", "arrived_whole", True, True),
    Check("account_360", "unique_grain_account_360", True, True),
    Check("candidate", "release_as_usual", False, False),
)
FIRST, SECOND = (Publish(AS_OF, f"run0000{n}", "1.0", START, CHECKS) for n in (1, 2))


def make(settings, *, number=1, as_of=AS_OF, lead=Lead.BY_DATE):
    build_candidate(settings, TABLES)
    publish = Publish(as_of, f"run{number:05}", "1.0", START + timedelta(minutes=number), CHECKS)
    return publish_candidate(settings, publish, lead)


def accounts(path: Path) -> int:
    with duckdb.connect(str(path / "account360.duckdb"), read_only=True) as connection:
        return connection.execute("select count(*) from account_360").fetchone()[0]


def folders(settings):
    return sorted(p.name for p in settings.published_path.iterdir() if not p.is_symlink())


def history(settings):
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute("select publish_id from run.publishes order by 1").fetchall()
    return [row[0] for row in rows]


def test_a_publish_holds_every_table_in_key_order_as_file_and_parquet(warehouse):
    published = make(warehouse)
    assert published.is_current
    assert published.publish_id == "2024-06-10_20240610T030100Z_run00001"
    assert (published.tables, published.rows) == (5, 3 + 6 + 1 + 3)
    current = warehouse.current_path
    with duckdb.connect(str(current / "account360.duckdb"), read_only=True) as connection:
        months = connection.execute("select account_id, month from account_months").fetchall()
        assert months == sorted(months)
        comments = connection.execute(
            "select comment from duckdb_tables() where table_name = 'account_360' union all "
            "select comment from duckdb_columns() "
            "where table_name = 'account_360' and column_name = 'account_id'"
        ).fetchall()
        assert comments == [("One row per account.",), ("Id.",)]
    parquet = f"read_parquet('{current / 'parquet' / 'account_months.parquet'}')"
    assert duckdb.sql(f"select account_id, month from {parquet}").fetchall() == months
    assert parquet_rows(current) == {
        "account_360": 3,
        "account_months": 6,
        "audit_checks": 3,
        "audit_publishes": 1,
        "audit_rollbacks": 0,
    }


def test_the_audit_tells_each_publish_so_far(warehouse):
    make(warehouse, number=1)
    make(warehouse, number=2)
    with duckdb.connect(str(warehouse.current_path / "account360.duckdb")) as connection:
        rows = connection.execute(
            "select * exclude (engine_version, content_hash, table_hashes) from audit_publishes"
        ).fetchall()
    assert rows == [
        (
            f"2024-06-10_20240610T030{number}00Z_run0000{number}",
            AS_OF,
            f"run0000{number}",
            "1.0",
            datetime(2024, 6, 10, 3, number),
            5,
            12 + number,
            2,
        )
        for number in (1, 2)
    ]


def test_the_checks_before_a_publish_are_told_with_what_they_looked_at(warehouse):
    make(warehouse, number=1)
    with duckdb.connect(str(warehouse.current_path / "account360.duckdb")) as connection:
        rows = connection.execute(
            "select table_name, check_name, is_blocking, has_passed, publish_id from audit_checks"
        ).fetchall()
    publish_id = "2024-06-10_20240610T030100Z_run00001"
    assert rows == [(*check[:4], publish_id) for check in sorted(CHECKS)]


def test_an_open_reader_keeps_its_publish_and_a_new_one_sees_the_next(warehouse):
    make(warehouse, number=1)
    path = str(warehouse.current_path / "account360.duckdb")
    with duckdb.connect(path, read_only=True) as open_reader:
        fill(warehouse, accounts=5)
        make(warehouse, number=2)
        assert open_reader.execute("select count(*) from account_360").fetchone() == (3,)
        assert accounts(warehouse.current_path) == 5
        assert open_reader.execute("select count(*) from account_months").fetchone() == (6,)


def test_the_newest_publishes_are_kept(warehouse):
    ids = [make(warehouse, number=number).publish_id for number in range(1, 5)]
    assert folders(warehouse) == ids[-2:]
    assert history(warehouse) == ids


def test_an_older_as_of_date_is_published_beside(warehouse):
    newest = make(warehouse, number=1)
    older = make(warehouse, number=2, as_of=date(2024, 5, 1))
    assert older.links == ("as_of=2024-05-01",)
    assert not older.is_current
    assert current_publish(warehouse) == newest.folder
    assert accounts(warehouse.published_path / "as_of=2024-05-01") == 3

    again = make(warehouse, number=3, as_of=date(2024, 5, 1))
    assert folders(warehouse) == sorted([newest.publish_id, again.publish_id])
    assert accounts(warehouse.published_path / "as_of=2024-05-01") == 3


def test_an_older_as_of_date_becomes_current_when_asked_for(warehouse):
    make(warehouse, number=1)
    older = make(warehouse, number=2, as_of=date(2024, 5, 1), lead=Lead.CURRENT)
    assert older.links == ("as_of=2024-05-01", "current")
    assert current_publish(warehouse) == older.folder


def test_a_backfilled_date_goes_beside_and_leaves_current_as_it_is(warehouse):
    alone = make(warehouse, number=1, as_of=date(2024, 6, 1), lead=Lead.BESIDE)
    assert alone.links == ("as_of=2024-06-01",)
    assert current_publish(warehouse) is None
    assert previous_publish(warehouse, AS_OF, Lead.BESIDE) == alone.folder

    newest = make(warehouse, number=2)
    same = make(warehouse, number=3, lead=Lead.BESIDE)
    later = make(warehouse, number=4, as_of=date(2024, 6, 20), lead=Lead.BESIDE)
    assert (same.links, later.links) == (("as_of=2024-06-10",), ("as_of=2024-06-20",))
    assert current_publish(warehouse) == newest.folder
    again = make(warehouse, number=5, lead=Lead.BESIDE)
    assert folders(warehouse) == sorted(one.publish_id for one in (alone, newest, again, later))

    # A night of that date leads both links to itself.
    night = make(warehouse, number=6)
    assert night.links == ("as_of=2024-06-10", "current")


def test_a_backfilled_date_is_compared_with_the_date_before_it(warehouse):
    first = make(warehouse, number=1, as_of=date(2024, 6, 8), lead=Lead.BESIDE)
    current = make(warehouse, number=2, as_of=date(2024, 6, 1))
    assert current.is_current
    assert previous_publish(warehouse, date(2024, 6, 9), Lead.BESIDE) == first.folder
    assert previous_publish(warehouse, date(2024, 6, 9)) == current.folder


def test_what_stands_beside_is_kept_however_many_nights_follow(warehouse):
    make(warehouse, number=1)
    older = make(warehouse, number=2, as_of=date(2024, 5, 1))
    later = [make(warehouse, number=number).publish_id for number in range(3, 7)]
    assert folders(warehouse) == sorted([older.publish_id, *later[-2:]])


@pytest.mark.parametrize(
    "killed_at",
    ["seal", "sync", "lead_to", "heal", "_prune"],
)
def test_a_run_killed_at_any_step_is_healed_by_the_next(warehouse, monkeypatch, killed_at):
    first = make(warehouse, number=1)
    fill(warehouse, accounts=4)
    build_candidate(warehouse, TABLES)

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(publish, killed_at, kill)
        with pytest.raises(Killed):
            publish_candidate(
                warehouse, Publish(AS_OF, "run00002", "1.0", START, CHECKS), Lead.BY_DATE
            )
    swapped = killed_at in ("heal", "_prune")
    assert accounts(warehouse.current_path) == (4 if swapped else 3)

    heal(warehouse)
    known = history(warehouse)
    assert len(known) == (2 if swapped else 1)
    assert first.publish_id in known
    assert folders(warehouse) == known
    assert not candidate_path(warehouse).exists()

    fill(warehouse, accounts=6)
    make(warehouse, number=3)
    assert accounts(warehouse.current_path) == 6


def test_a_new_warehouse_takes_over_the_history_of_the_publishes(warehouse):
    first = make(warehouse, number=1)
    warehouse.warehouse_path.unlink()
    fill(warehouse, accounts=2)
    second = make(warehouse, number=2)
    assert history(warehouse) == [first.publish_id, second.publish_id]
    assert folders(warehouse) == [first.publish_id, second.publish_id]


def test_a_current_that_is_a_folder_is_left_alone(warehouse):
    warehouse.current_path.mkdir(parents=True)
    (warehouse.current_path / "mine.txt").write_text("mine")
    heal(warehouse)
    with pytest.raises(PublishError, match="is a folder, not a link"):
        make(warehouse)
    assert (warehouse.current_path / "mine.txt").exists()


def test_a_published_file_that_cannot_be_read_says_the_way_out(warehouse):
    published = make(warehouse)
    warehouse.warehouse_path.unlink()
    (published.folder / "account360.duckdb").write_bytes(b"no database")
    with pytest.raises(PublishError, match="remove the links"):
        heal(warehouse)


VIEWS = [
    PublishedTable("lost", ("account_id",), "One row per loss.", {}, view_of=("totals",)),
    PublishedTable(
        "totals",
        ("account_id",),
        "One row per account and total.",
        {"total": "Their sum."},
        view_of=("account_360", "account_months"),
    ),
]


def make_with_views(settings, sql="sum(ending_mrr)"):
    """A publish with two views, of which the first by name stands on the second."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            f"""
            create view warehouse.published.totals as
                select account_id, {sql} as total
                from "warehouse"."published"."account_360"
                inner join warehouse.published.account_months using (account_id)
                group by account_id;
            create view published.lost as
                select * from warehouse.published.totals where total < 0;
            """
        )
    tables = [*TABLES, *VIEWS]
    assert build_candidate(settings, tables).keys() == {"account_360", "account_months"}
    assert warehouse_rows(settings, tables).keys() == {"account_360", "account_months"}
    return publish_candidate(
        settings, Publish(AS_OF, "run00001", "1.0", START, CHECKS), Lead.BY_DATE
    )


def test_a_view_over_published_tables_is_published_as_one_and_can_be_moved(warehouse, tmp_path):
    published = make_with_views(warehouse)
    assert (published.tables, published.rows) == (5, 3 + 6 + 1 + 3)
    assert parquet_rows(published.folder).keys() == {
        "account_360",
        "account_months",
        "audit_checks",
        "audit_publishes",
        "audit_rollbacks",
    }
    moved = tmp_path / "another name.duckdb"
    (published.folder / "account360.duckdb").rename(moved)
    warehouse.warehouse_path.unlink()
    with duckdb.connect(str(moved), read_only=True) as connection:
        assert connection.execute("select total from totals").fetchall() == [(20,)] * 3
        assert connection.execute("from lost").fetchall() == []
        comments = connection.execute(
            "select comment from duckdb_views() where view_name = 'totals' union all "
            "select comment from duckdb_columns() "
            "where table_name = 'totals' and column_name = 'total'"
        ).fetchall()
        assert comments == [("One row per account and total.",), ("Their sum.",)]
    with duckdb.connect() as reader:
        reader.execute(f"attach '{moved}' as elsewhere (read_only)")
        assert reader.execute("select count(*) from elsewhere.totals").fetchone() == (3,)


def test_a_view_over_anything_but_published_tables_is_refused(warehouse):
    with duckdb.connect(str(warehouse.warehouse_path)) as connection:
        connection.execute("create schema marts; create table marts.factors as select 2 as factor")
    with pytest.raises(duckdb.BinderException, match="warehouse"):
        make_with_views(warehouse, "sum(ending_mrr * (select factor from warehouse.marts.factors))")


def test_a_table_that_the_warehouse_lacks_is_left_to_the_release_checks(warehouse):
    with duckdb.connect(str(warehouse.warehouse_path)) as connection:
        connection.execute("drop table published.account_months")
    assert build_candidate(warehouse, TABLES) == {"account_360": 3}
    assert warehouse_rows(warehouse, TABLES) == {"account_360": 3, "account_months": 0}


def test_the_code_version_needs_no_git(monkeypatch):
    def no_git(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(sealing.subprocess, "run", no_git)
    assert code_version.__wrapped__() == "0.1.0"


def test_a_publish_is_compared_with_what_readers_see(warehouse):
    assert previous_publish(warehouse, AS_OF) is None
    make(warehouse, number=1)
    second = make(warehouse, number=2)
    assert previous_publish(warehouse, AS_OF) == second.folder
    assert previous_publish(warehouse, date(2024, 7, 1)) == second.folder


def test_an_earlier_date_is_compared_with_the_latest_one_up_to_it(warehouse):
    make(warehouse, number=1)
    april = make(warehouse, number=2, as_of=date(2024, 4, 1))
    may = make(warehouse, number=3, as_of=date(2024, 5, 1))
    assert previous_publish(warehouse, date(2024, 3, 1)) is None
    assert previous_publish(warehouse, date(2024, 4, 30)) == april.folder
    assert previous_publish(warehouse, date(2024, 5, 1)) == may.folder
    assert previous_publish(warehouse, date(2024, 6, 1)) == may.folder
