"""Names: snake_case, spellings that are one column, columns nobody knew, all tables present."""

from __future__ import annotations

import pytest

from ingestion import DOMAINS, ENTITIES
from ingestion.sources.native.columns import column_name
from ingestion.tables import contract_tables
from tests.ingestion.conftest import Place


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("accountId", "account_id"),
        ("Account ID", "account_id"),
        ("ACCOUNT_ID", "account_id"),
        ("account-id", "account_id"),
        ("HTTPServer", "http_server"),
        ("Größe", "grosse"),
        ("_line", "source_line"),
        ("1st", "_1st"),
        ("", "unnamed"),
    ],
)
def test_names_are_snake_cased(name: str, column: str) -> None:
    assert column_name(name) == column.replace("grosse", "gro_u00dfe")


def test_names_in_other_scripts_stay_apart() -> None:
    assert column_name("名前") != column_name("住所")


def test_dlt_names_the_contract_as_we_do() -> None:
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    naming = NamingConvention(65536)
    for domain in DOMAINS:
        for table, columns in contract_tables(domain).items():
            assert naming.normalize_table_identifier(table) == table
            for column in columns:
                assert naming.normalize_identifier(column) == column
                if not column.startswith("_"):
                    assert column_name(column) == column


@pytest.mark.parametrize("domain", DOMAINS)
def test_all_tables_exist_with_all_columns_when_nothing_landed(
    new_place: Place, domain: str
) -> None:
    report = new_place.load(domain)
    assert report.load_number is None
    assert report.files == []
    for table, columns in contract_tables(domain).items():
        assert new_place.columns(f"{domain}.{table}") == columns
        assert new_place.rows(f"{domain}.{table}", order="all") == []
    assert set(ENTITIES[domain]) < set(contract_tables(domain))


def test_a_json_column_in_two_spellings_is_one(place: Place) -> None:
    place.land(
        "crm/account_aliases.jsonl",
        '{"oldAccountId":"1","account_id":"a"}\n{"old_account_id":"2","accountId":"b"}\n'
        '{"old_account_id":"3","oldAccountId":"no","AccountID":"c"}\n',
    )
    report = place.load()
    assert place.rows("crm.account_aliases", "old_account_id", "account_id") == [
        ("1", "a"),
        ("2", "b"),
        ("3", "c"),
    ]
    assert report.unknown_columns == []


def test_unknown_columns_are_kept_and_reported_once(place: Place) -> None:
    place.land("crm/csm_aliases/1.csv", "old_email,email,Region\na,b,north\n")
    place.land("crm/csm_aliases/2.jsonl", '{"old_email":"c","email":"d","region":"south","tier":1}')
    report = place.load()
    assert [str(column) for column in report.unknown_columns] == [
        "csm_aliases.region (first in crm/csm_aliases/1.csv)",
        "csm_aliases.tier (first in crm/csm_aliases/2.jsonl)",
    ]
    place.land("crm/csm_aliases/3.csv", "tier,old_email,email,region,shoe size\n2,e,f,west,44\n")
    report = place.load()
    assert [column.column for column in report.unknown_columns] == ["shoe_size"]
    assert place.rows("crm.csm_aliases", "old_email", "region", "tier", "shoe_size") == [
        ("a", "north", None, None),
        ("c", "south", "1", None),
        ("e", "west", "2", "44"),
    ]


def test_source_columns_named_like_provenance_do_not_replace_it(place: Place) -> None:
    place.land("crm/csm_aliases.jsonl", '{"old_email":"a","email":"b","_line":99,"_location":"x"}')
    place.load()
    assert place.rows("crm.csm_aliases", "_line", "source_line", "source_location") == [
        (1, "99", "x")
    ]


def test_odd_json_keys_are_columns(place: Place) -> None:
    place.land(
        "crm/csm_aliases.jsonl",
        '{"old_email":"a","email":"b","a/b":1,"c~d":2,"it\'s":3,"say \\"x\\"":4,"":5}',
    )
    place.load()
    columns = place.columns("crm.csm_aliases").keys()
    assert {"a_b", "c_d", "it_s", "unnamed"} <= columns
    assert place.rows("crm.csm_aliases", "a_b", "c_d", "it_s", "unnamed") == [("1", "2", "3", "5")]


def test_a_column_that_the_contract_gains_is_added(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.land("crm/csm_aliases.csv", "old_email,email\na,b\n")
    place.load()
    entity = ENTITIES["crm"]["csm_aliases"]
    grown = type(entity)((*entity.columns, "since"), entity.required, entity.key)
    monkeypatch.setitem(ENTITIES["crm"], "csm_aliases", grown)
    report = place.load()
    assert report.load_number is None
    assert place.rows("crm.csm_aliases", "old_email", "since") == [("a", None)]
