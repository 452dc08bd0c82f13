"""Kept publishes: what is told of them, rolling back to one, and whether one was changed."""

import json
import os
import pwd
import re
import shutil
import subprocess
import threading
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from orchestration import rollbacks
from orchestration.cli import main
from orchestration.content import content_hash, forget_standing, table_hash
from orchestration.difference import UnknownPublishError
from orchestration.publishes import RollbackError, list_publishes, publishes_text, rollback, verify
from orchestration.publishing import (
    Lead,
    Publish,
    build_candidate,
    current_publish,
    heal,
    publish,
    publish_candidate,
)
from orchestration.rollbacks import read_rollbacks
from settings import PROJECT_ROOT, load_settings
from tests.orchestration.elsewhere import held_elsewhere, opened_elsewhere
from tests.orchestration.small_warehouse import TABLES, fill

START = datetime(2024, 6, 10, 3, 0, 0, tzinfo=UTC)
ME = pwd.getpwuid(os.getuid()).pw_name


def make(settings, *, number=1, as_of=date(2024, 6, 10), accounts=None):
    if accounts:
        fill(settings, accounts)
    build_candidate(settings, TABLES)
    publish = Publish(as_of, f"run{number:05}", "1.0", START + timedelta(minutes=number), ())
    return publish_candidate(settings, publish, Lead.BY_DATE).folder


def ask(folder, query):
    with duckdb.connect(str(folder / "account360.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def run(settings, *arguments):
    return main([arguments[0], "--home", str(settings.home), *arguments[1:]])


def test_readers_are_led_back_and_who_did_it_is_kept_and_published_next(warehouse):
    first = make(warehouse, number=1)
    second = make(warehouse, number=2, accounts=4)
    noted = rollback(warehouse, "previous", "rates were wrong")
    assert current_publish(warehouse) == first
    assert (noted.from_publish, noted.to_publish) == (second.name, first.name)
    assert (noted.rolled_back_by, noted.reason) == (ME, "rates were wrong")
    assert read_rollbacks(warehouse) == [noted]

    third = make(warehouse, number=3)
    assert current_publish(warehouse) == third
    told = "select * exclude (publish_id, as_of_date) from audit_rollbacks"
    assert ask(third, told) == [tuple(noted)]
    assert ask(second, told) == []


def test_a_rollback_needs_no_warehouse(warehouse):
    first = make(warehouse, number=1)
    make(warehouse, number=2)
    with held_elsewhere(warehouse.home), opened_elsewhere(warehouse.warehouse_path):
        rollback(warehouse, first.name)
    assert current_publish(warehouse) == first


def test_a_night_that_is_under_way_publishes_as_usual(warehouse):
    first = make(warehouse, number=1)
    make(warehouse, number=2)
    build_candidate(warehouse, TABLES)
    rollback(warehouse, first.name)
    third_publish = Publish(date(2024, 6, 10), "run00003", "1.0", START + timedelta(minutes=3), ())
    third = publish_candidate(warehouse, third_publish, False).folder
    assert current_publish(warehouse) == third
    assert ask(third, "select to_publish from audit_rollbacks") == [(first.name,)]


def test_an_as_of_link_stays_where_it_leads(warehouse):
    newest = make(warehouse, number=1)
    older = make(warehouse, number=2, as_of=date(2024, 5, 1))
    rollback(warehouse, "as_of=2024-05-01")
    assert current_publish(warehouse) == older
    assert list_publishes(warehouse)[0].links == ["current", "as_of=2024-05-01"]
    rollback(warehouse, newest.name)
    assert current_publish(warehouse) == newest
    assert (warehouse.published_path / "as_of=2024-05-01").readlink().name == older.name
    again = make(warehouse, number=3, as_of=date(2024, 5, 1))
    assert (warehouse.published_path / "as_of=2024-05-01").readlink().name == again.name
    assert not older.exists()


def test_where_readers_are_already_they_cannot_be_led(warehouse):
    make(warehouse)
    with pytest.raises(RollbackError, match="see already: nothing was changed"):
        rollback(warehouse, "current")
    with pytest.raises(UnknownPublishError, match="kept are, newest first"):
        rollback(warehouse, "1999")
    assert read_rollbacks(warehouse) == []


def test_a_publish_that_was_rolled_back_before_the_warehouse_knew_it_stays(warehouse, monkeypatch):
    """The night died between the swap of the link and its line of history."""
    first = make(warehouse, number=1)

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    with monkeypatch.context() as patch:
        build_candidate_folder = warehouse.published_path / ".candidate"
        (build_candidate_folder / "parquet").mkdir(parents=True)
        duckdb.connect(str(build_candidate_folder / "account360.duckdb")).close()
        patch.setattr(publish, "heal", kill)
        second = Publish(date(2024, 6, 10), "run00002", "1.0", START + timedelta(minutes=2), ())
        with pytest.raises(Killed):
            publish_candidate(warehouse, second, False)
    second = current_publish(warehouse)
    assert second != first
    rollback(warehouse, first.name)
    heal(warehouse)
    assert second.is_dir()
    assert [each.publish_id for each in list_publishes(warehouse)] == [second.name, first.name]


def test_a_line_that_was_not_written_to_its_end_hides_no_other(warehouse):
    first = make(warehouse, number=1)
    make(warehouse, number=2)
    rollback(warehouse, first.name)
    path = rollbacks.rollbacks_path(warehouse)
    path.write_text(path.read_text() + '{"rolled_back_at": "2024-')
    rollback(warehouse, "2024-06-10_20240610T030200Z")
    assert [each.to_publish for each in read_rollbacks(warehouse)] == [
        first.name,
        "2024-06-10_20240610T030200Z_run00002",
    ]


def test_rollbacks_and_a_night_that_publishes_never_meet(warehouse):
    """Both swap the same link: each is whole, and no reader ever finds none."""
    folders = [make(warehouse, number=1), make(warehouse, number=2)]
    stop, errors, reads = threading.Event(), [], [0]

    def read():
        while not stop.is_set():
            try:
                assert accounts_seen(warehouse) == 3
                reads[0] += 1
            except Exception as error:  # whatever it is, a reader met it
                errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(3, 9):
            target = folders[number % 2] if folders[number % 2].exists() else None
            others = [
                threading.Thread(target=lead, args=(warehouse, folder.name, errors))
                for folder in folders
                if folder.exists() and target
            ]
            for other in others:
                other.start()
            make(warehouse, number=number)
            for other in others:
                other.join()
    finally:
        stop.set()
        reader.join()
    assert errors == []
    assert reads[0] > 0


def lead(settings, name, errors):
    try:
        rollback(settings, name)
    except (RollbackError, UnknownPublishError):
        pass  # it went, or readers are there
    except Exception as error:
        errors.append(error)


def accounts_seen(settings):
    return ask(settings.current_path.resolve(), "select count(*) from account_360")[0][0]


def test_what_is_kept_is_listed(warehouse, capsys):
    first = make(warehouse, number=1)
    second = make(warehouse, number=2, accounts=4)
    rollback(warehouse, first.name, "too many accounts")
    newest, oldest = list_publishes(warehouse)
    assert (newest.publish_id, newest.links) == (second.name, [])
    assert newest.rolled_back["rolled_back_by"] == ME
    assert (oldest.publish_id, oldest.links, oldest.rolled_back) == (first.name, ["current"], None)
    assert oldest.rows == sum(count for (count,) in ask(first, all_counts(first)))
    assert oldest.size_bytes == sum(f.stat().st_size for f in first.rglob("*") if f.is_file())
    assert f"by {ME}: too many accounts" in publishes_text(warehouse)
    assert run(warehouse, "publishes", "--json") == 0
    assert [each["as_of_date"] for each in json.loads(capsys.readouterr().out)] == [
        "2024-06-10"
    ] * 2
    rollback(warehouse, second.name)
    assert list_publishes(warehouse)[0].rolled_back is None


def all_counts(folder):
    names = ask(folder, "select table_name from duckdb_tables()")
    return " union all ".join(f"select count(*) from {name}" for (name,) in names)


def test_a_publish_is_as_it_was_sealed(warehouse, capsys):
    folder = make(warehouse)
    assert run(warehouse, "verify") == 0
    said = capsys.readouterr().out
    assert f"{folder.name}: as it was sealed (6 files, 5 tables in DuckDB, 5 in Parquet" in said
    assert "2 in the warehouse" in said
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True
    )
    assert checked.returncode == 0


def test_the_same_content_has_the_same_hash_in_any_order_and_file(warehouse):
    first = make(warehouse, number=1)
    with duckdb.connect(str(warehouse.warehouse_path)) as connection:
        connection.execute(
            "create or replace table published.account_months as"
            " from (from published.account_months) order by account_id"
        )
    second = make(warehouse, number=2)
    hashes = (
        "select content_hash, table_hashes from audit_publishes order by publish_id desc limit 1"
    )
    [(content, tables)], [(again, _)] = ask(first, hashes), ask(second, hashes)
    assert content == again == content_hash(json.loads(tables))
    assert set(json.loads(tables)) == {
        "account_360",
        "account_months",
        "audit_checks",
        "audit_rollbacks",
    }
    third = make(warehouse, number=3, accounts=4)
    assert ask(third, hashes)[0][0] != content


def test_rows_that_stand_twice_do_not_cancel_out():
    with duckdb.connect() as connection:
        hashes = {
            table_hash(connection, f"(select 1 as x, null as y from range({n}))") for n in range(4)
        }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("delete from account_360 where account_id = 'a1'", "table account_360 of the DuckDB file"),
        ("update account_months set month = '2024-03-01'", "table account_months of the DuckDB"),
        ("drop table audit_checks", "table audit_checks of the DuckDB file is not there"),
        ("create table mine as select 1 as x", "table mine of the DuckDB file was not sealed"),
        ("update audit_publishes set content_hash = 'x'", "its content_hash is not that of"),
        ("update audit_publishes set rows = 1", "run.publishes of the warehouse has another rows"),
        ("delete from audit_publishes", "table audit_publishes has no row of this publish"),
    ],
)
def test_a_table_that_was_changed_is_named(warehouse, capsys, change, said):
    folder = make(warehouse)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute(change)
    assert run(warehouse, "verify", folder.name) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "differs: file account360.duckdb has other bytes" in out


def test_a_file_that_was_changed_is_named(warehouse, capsys):
    folder = make(warehouse)
    parquet = folder / "parquet"
    shutil.copyfile(parquet / "account_360.parquet", parquet / "other.parquet")
    (parquet / "account_months.parquet").unlink()
    (parquet / "audit_checks.parquet").write_bytes(b"no parquet")
    assert run(warehouse, "verify", "--all") == 1
    out = capsys.readouterr().out
    for said in (
        "file parquet/other.parquet was not sealed with it",
        "table other in Parquet was not sealed with it",
        "file parquet/account_months.parquet is not there",
        "table account_months in Parquet is not there",
        "file parquet/audit_checks.parquet has other bytes",
        "table audit_checks in Parquet has other content",
    ):
        assert f"differs: {said}\n" in out
    (folder / "SHA256SUMS").unlink()
    assert run(warehouse, "verify") == 1
    assert "SHA256SUMS is not there" in capsys.readouterr().out


def test_a_file_that_is_no_database_any_more_is_named(warehouse, capsys):
    folder = make(warehouse)
    (folder / "account360.duckdb").write_bytes(b"broken")
    assert run(warehouse, "verify") == 1
    assert "file account360.duckdb cannot be read" in capsys.readouterr().out
    assert "cannot be read: see" in publishes_text(warehouse)


def test_a_warehouse_that_was_changed_by_hand_is_named_until_a_run_changes_it(warehouse, capsys):
    make(warehouse)
    with duckdb.connect(str(warehouse.warehouse_path)) as connection:
        connection.execute("update published.account_360 set ending_mrr = 11")
    assert run(warehouse, "verify") == 1
    assert "table account_360 of the warehouse has other content" in capsys.readouterr().out
    assert run(warehouse, "verify", "--no-warehouse") == 0
    forget_standing(warehouse)
    assert run(warehouse, "verify") == 0


def test_while_a_run_has_the_warehouse_the_publish_alone_is_compared(warehouse):
    folder = make(warehouse)
    with held_elsewhere(warehouse.home), opened_elsewhere(warehouse.warehouse_path):
        verdict = verify(warehouse, folder)
    assert verdict.differences == []
    assert verdict.remarks == ["the warehouse, which a run has: verify again when it has ended"]


def test_another_version_of_the_engine_compares_bytes_alone(warehouse):
    folder = make(warehouse)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute("update audit_publishes set engine_version = 'v0'")
    verdict = verify(warehouse, folder, warehouse=False)
    assert verdict.differences == ["file account360.duckdb has other bytes"]
    assert "it was hashed by DuckDB v0, this is" in verdict.remarks[0]


def test_a_publish_of_an_earlier_version_is_told_as_such_and_its_history_kept(warehouse, capsys):
    folder = make(warehouse)
    old = "alter table {} drop column engine_version; alter table {} drop column content_hash;"
    old += "alter table {} drop column table_hashes"
    (folder / "SHA256SUMS").unlink()
    for database, relation in (
        (folder / "account360.duckdb", "audit_publishes"),
        (warehouse.warehouse_path, "run.publishes"),
    ):
        with duckdb.connect(str(database)) as connection:
            connection.execute(old.replace("{}", relation))
    assert run(warehouse, "verify", "--no-warehouse") == 0
    assert "sealed before there" in capsys.readouterr().out
    second = make(warehouse, number=2)
    rows = ask(second, "select publish_id, table_hashes is null from audit_publishes order by 1")
    assert rows == [(folder.name, True), (second.name, False)]
    warehouse.warehouse_path.unlink()
    fill(warehouse, 3)
    third = make(warehouse, number=3)
    assert len(ask(third, "from audit_publishes")) == 3


def test_nothing_published_is_a_message(settings, capsys):
    settings.home.mkdir()
    assert run(settings, "verify") == 2
    assert run(settings, "rollback", "previous") == 2
    assert capsys.readouterr().err.count("nothing is published in") == 2
    assert run(settings, "publishes") == 0
    assert "Nothing is published" in capsys.readouterr().out


def test_personal_data_of_a_rollback_is_published_as_the_settings_say(warehouse):
    first = make(warehouse, number=1)
    make(warehouse, number=2)
    rollback(warehouse, first.name, "asked for by jo@x.example")
    hidden = load_settings(
        environ={},
        home=warehouse.home,
        publish_personal_data="hashed",
        publish_without_personal_data=True,
    )
    folder = make(hidden, number=3)
    told = "select rolled_back_by, reason, to_publish from audit_rollbacks"
    [(user, reason, target)] = ask(folder, told)
    assert user.startswith("hashed-")
    assert reason.startswith("hashed-")
    assert target == first.name
    second_file = folder / "account360_without_personal_data.duckdb"
    with duckdb.connect(str(second_file), read_only=True) as connection:
        assert connection.execute(told).fetchall() == [(None, None, first.name)]
    assert verify(hidden, folder).differences == []


def test_the_output_on_the_page_is_real(tmp_path, capsys):
    """docs/recovery.md, but for who, when, how long and how big."""
    settings = load_settings(environ={}, home=tmp_path / "home")
    settings.home.mkdir()
    make(settings, number=1, accounts=3)
    last = make(settings, number=2, accounts=4)
    said = []

    def ask_for(*arguments, code=0):
        assert run(settings, *arguments) == code
        words = [f'"{a}"' if " " in a else a for a in arguments]
        said.append(f"$ account360 {' '.join(words)}\n{capsys.readouterr().out}")

    ask_for("publishes")
    ask_for("rollback", "previous", "--reason", "rates of May were wrong")
    ask_for("publishes")
    ask_for("verify", "--all")
    with duckdb.connect(str(last / "account360.duckdb")) as connection:
        connection.execute("update account_360 set ending_mrr = 11 where account_id = 'a1'")
    ask_for("verify", last.name[:24], code=1)
    page = (PROJECT_ROOT / "docs" / "recovery.md").read_text("utf-8")
    shown = masked("\n".join(line.removeprefix("    ") for line in page.splitlines()))
    for each in said:
        assert masked(each) in shown


def masked(text):
    """Without what differs from machine to machine."""
    text = re.sub(r"rolled back \S+ \S+ by [^:]+:", "rolled back:", text)
    text = re.sub(r"\d+\.\d s\)", "s)", text)
    return re.sub(r" +\d+\.\d +| +MB +| {2,}", "  ", text)
