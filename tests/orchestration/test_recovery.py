"""What a killed run leaves half written, and that nothing trusts it."""

import subprocess
import sys

import duckdb
import pytest

from orchestration.publishes import list_publishes
from orchestration.publishing import build_candidate, candidate, folder, heal, publish
from orchestration.run_lock import refuse_locked
from tests.orchestration.small_warehouse import TABLES
from tests.orchestration.test_publishes import ask, make

# Four loads, each in one transaction over two tables, and none of them in the file itself yet.
_WRITES = """
import duckdb, os, signal, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("create table records as select 0 as load_number, 'x' as record")
connection.execute("create table loads as select 0 as load_number")
connection.execute("checkpoint")
connection.execute("set wal_autocheckpoint = '1TB'")
for load in range(1, 5):
    connection.execute("begin")
    connection.execute(
        f"insert into records select {load}, repeat('x', 40) || i from range(3000) as r (i)"
    )
    connection.execute(f"insert into loads values ({load})")
    connection.execute("commit")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_log_of_the_warehouse_that_was_cut_off_anywhere_opens_with_whole_transactions(home):
    warehouse = home.warehouse_path
    log = warehouse.with_name(f"{warehouse.name}.wal")
    subprocess.run([sys.executable, "-c", _WRITES, str(warehouse)], check=False)
    database, written = warehouse.read_bytes(), log.read_bytes()
    seen = set()
    for part in range(24):
        warehouse.write_bytes(database)
        log.write_bytes(written[: len(written) * part // 23])
        refuse_locked(warehouse)
        with duckdb.connect(str(warehouse)) as connection:
            loads, records = connection.execute(
                "select (select max(load_number) from loads), (select count(*) from records)"
            ).fetchone()
        assert records == 1 + 3000 * loads
        seen.add(loads)
    assert seen == {0, 1, 2, 3, 4}


@pytest.fixture
def home(settings):
    settings.home.mkdir()
    return settings


class Killed(BaseException):
    """The run ends here."""


@pytest.mark.parametrize("as_of_link", [False, True])
def test_a_publish_that_is_being_removed_is_none_any_more(warehouse, monkeypatch, as_of_link):
    """Its files go one by one: it is out of sight before the first of them does."""
    from datetime import date

    early = date(2024, 5, 1) if as_of_link else date(2024, 6, 10)
    first = make(warehouse, number=1)
    old = make(warehouse, number=2, as_of=early) if as_of_link else first
    make(warehouse, number=3)

    def remove_half(path):
        if path.name.startswith(".gone_"):
            (path / "account360.duckdb").unlink()
            raise Killed
        remove(path)

    remove = folder.remove
    with monkeypatch.context() as patch:
        patch.setattr(folder, "remove", remove_half)
        patch.setattr(publish, "remove", remove_half)
        with pytest.raises(Killed):
            make(warehouse, number=4, as_of=early)
    kept = list_publishes(warehouse)
    assert old.name not in [each.publish_id for each in kept]
    assert all(each.published_at for each in kept)
    assert len(list(warehouse.published_path.glob(".gone_*"))) == 1
    heal(warehouse)
    assert list(warehouse.published_path.glob(".*")) == []


def test_a_candidate_that_was_half_written_is_none(warehouse, monkeypatch):
    make(warehouse, number=1)
    with monkeypatch.context() as patch:

        def kill(*_):
            raise Killed

        patch.setattr(candidate, "export_table", kill)
        with pytest.raises(Killed):
            build_candidate(warehouse, TABLES)
    assert (warehouse.published_path / ".candidate" / "account360.duckdb").exists()
    second = make(warehouse, number=2)
    assert ask(second, "select count(*) from account_360") == [(3,)]
