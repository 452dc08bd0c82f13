"""Which columns a column is made of, rule by rule, on models small enough to follow by hand."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from ingestion.tables import contract_tables
from orchestration.column_lineage import ColumnLineageError, column_edges
from orchestration.lineage import Column, column_edges_text

USERS = '"warehouse"."raw_crm"."users"'
RECORD = "_location _line _load_number"

# rule: the query over raw users, whose column `made` is made of …
RULES = {
    "all columns of an expression": (
        "select concat(email, title) as made from {users}",
        "email title",
    ),
    "nothing, if it is a constant": ("select 'x' as made, email from {users}", ""),
    "its value, not the condition of its row": (
        "select email as made from {users} where title = 'x'",
        "email",
    ),
    "its value, not what its rows are grouped by": (
        "select max(email) as made from {users} group by account_id",
        "email",
    ),
    "its value, not what its rows are joined by": (
        "select users.email as made from {users} as users"
        " inner join {users} as others on users.title = others.title",
        "email",
    ),
    "the filter of its aggregate": (
        "select max(email) filter (where title = 'x') as made from {users}",
        "email title",
    ),
    "what its window is parted and ordered by": (
        "select row_number() over (partition by account_id order by user_id) as made from {users}",
        "account_id user_id",
    ),
    "what an alias beside it stands for": (
        "select lower(email) as address, concat(address, 'x') as made from {users}",
        "email",
    ),
    "what a star hands on": (
        "with a as (select * exclude (title) from {users}), b as (select * from a)"
        " select email as made from b",
        "email",
    ),
    "what a derived table hands on": (
        "select a.b as made from (select email as b, title as email from {users}) as a",
        "email",
    ),
    "what a lambda looks at": (
        "select list_filter([email], x -> x != title) as made from {users}",
        "email title",
    ),
    "the same place in every part of a union": (
        "with a as (select email, title from {users} union all select last_name, 'x' from {users})"
        " select email as made from a",
        "email last_name",
    ),
    "the steps of a recursion": (
        "with recursive a as (select user_id, email as path from {users} union all"
        " select users.user_id, concat(a.path, users.title) from a"
        " inner join {users} as users on a.user_id = users.contact_id)"
        " select path as made from a",
        "email title",
    ),
    "the columns that are folded into it": (
        "with a as (select user_id, email, title from {users})"
        " select made from a unpivot (made for what in (email, title))",
        "email title",
    ),
    "nothing, if it is the name of a folded column": (
        "with a as (select user_id, email, title from {users})"
        " select made from a unpivot (value for made in (email, title))",
        "",
    ),
    "what stands beside folded columns": (
        "with a as (select user_id, email, title from {users})"
        " select user_id as made from a unpivot (value for what in (email, title))",
        "user_id",
    ),
    "every column of a row but for those that are left out": (
        "with a as (select user_id, email, title from {users})"
        " select to_json(struct_pack(*columns(a.* exclude (title)))) as made from a",
        "user_id email",
    ),
    "a scalar subquery with its condition": (
        "with a as (select * from {users}) select"
        " (select max(b.email) from a as b where b.user_id = a.contact_id) as made from a",
        "email user_id contact_id",
    ),
    "the condition of an exists": (
        "with a as (select * from {users}) select"
        " exists (select 1 from a as b where b.user_id = a.contact_id) as made from a",
        "user_id contact_id",
    ),
    "both sides of an in": (
        "with a as (select * from {users}) select"
        " email in (select title from a where last_name = 'x') as made from a",
        "email title last_name",
    ),
    "the records that are counted": ("select count(*) as made from {users}", RECORD),
    "the condition of the records that are counted": (
        "select account_id, count(*) as made from {users} where title = 'x' group by account_id",
        f"title {RECORD}",
    ),
    "the groups that are counted, and their conditions": (
        "with a as (select account_id from {users} where title = 'x' group by account_id"
        " having max(email) = 'x')"
        " select count(*) as made from a",
        "account_id title email",
    ),
    "the distinct rows that are counted": (
        "with a as (select distinct email from {users}) select count(*) as made from a",
        f"email {RECORD}",
    ),
    "the rows of every part of a union that are counted": (
        "with a as (select email from {users} where title = 'x' union all select 'y' from {users})"
        " select count(*) as made from a",
        f"title {RECORD}",
    ),
    "what tells the rows of a union apart that are counted": (
        "with a as (select email from {users} union select 'y' from {users})"
        " select count(*) as made from a",
        f"email {RECORD}",
    ),
    "what joins the rows that are counted": (
        "select count(*) as made from {users} as users"
        " inner join {users} as others on users.title = others.email",
        f"title email {RECORD}",
    ),
    "what is counted, not its record": (
        "select count(distinct email) as made from {users} where title = 'x'",
        "email",
    ),
}


def model(name: str, sql: str, *upstream: str, grain: tuple[str, ...] = ()) -> dict[str, Any]:
    """A model as dbt's manifest has it after a compilation."""
    return {
        "name": name,
        "schema": "marts",
        "original_file_path": f"models/marts/{name}.sql",
        "compiled_code": sql,
        "depends_on": {"nodes": [f"model.account360.{one}" for one in upstream]},
        "config": {"meta": {"grain": list(grain)}},
    }


def edges(*models: dict[str, Any]) -> dict[Column, list[Column]]:
    """The edges of a project of these models."""
    return column_edges({"nodes": {f"model.account360.{one['name']}": one for one in models}})


@pytest.mark.parametrize("rule", RULES)
def test_a_column_is_made_of(rule: str) -> None:
    sql, expected = RULES[rule]
    found = edges(model("users", sql.format(users=USERS)))[Column("users", "made")]
    assert found == sorted(Column("raw_crm.users", column) for column in expected.split())


@pytest.mark.parametrize("rule", RULES)
def test_the_engine_runs_what_the_rules_are_shown_on(rule: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema raw_crm")
        columns = contract_tables("crm")["users"]
        kinds = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table raw_crm.users ({kinds})")
        names = [
            column[0]
            for column in connection.execute(
                RULES[rule][0].format(users="raw_crm.users")
            ).description
        ]
    assert "made" in names


def test_rows_of_a_model_are_counted_by_its_grain() -> None:
    users = model("users", f"select account_id, user_id, email from {USERS}", grain=("user_id",))
    counts = model("counts", 'select count(*) as users from "warehouse"."marts"."users"', "users")
    # in the order of building, in whatever order the manifest has them
    assert edges(counts, users)[Column("counts", "users")] == [Column("users", "user_id")]


def test_rows_of_a_model_that_does_not_select_its_grain_are_counted_by_all_columns() -> None:
    users = model("users", f"select account_id, email from {USERS}", grain=("user_id",))
    counts = model("counts", 'select count(*) as users from "warehouse"."marts"."users"', "users")
    assert edges(users, counts)[Column("counts", "users")] == [
        Column("users", "account_id"),
        Column("users", "email"),
    ]


def test_a_star_hands_on_the_columns_of_a_model_upstream() -> None:
    users = model("users", f"select * from {USERS}")
    found = edges(users, model("copies", 'select * from "warehouse"."marts"."users"', "users"))
    assert found[Column("copies", "email")] == [Column("users", "email")]
    assert {column.column for column in found if column.table == "copies"} == set(
        contract_tables("crm")["users"]
    )


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ('select a from "warehouse"."marts"."nowhere"', "nowhere"),
        (f"select nothing from {USERS}", "nothing"),
        (f"select * from {USERS} pivot (count(*) for title in ('x', 'y'))", "pivot"),
        ("select a from (values (1)) as b (a)", "is not followed"),
        ("select from where", "models/marts/users.sql"),
    ],
)
def test_what_cannot_be_followed_is_an_error_that_names_the_file(sql: str, said: str) -> None:
    with pytest.raises(ColumnLineageError, match=r"^models/marts/users\.sql: ") as raised:
        edges(model("users", sql))
    assert said in str(raised.value)


def test_edges_are_kept_as_a_line_per_column_in_text_order() -> None:
    users = model("users", f"select title as b, concat(title, email) as c, 1 as a from {USERS}")
    assert column_edges_text(edges(users)) == (
        "column,made_of\n"
        "users.a,\n"
        "users.b,raw_crm.users.title\n"
        "users.c,raw_crm.users.email raw_crm.users.title\n"
    )
