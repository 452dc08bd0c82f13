"""Each expectation can fail, and says where; the frames say what stands in the warehouse."""

from datetime import date

import duckdb
import pytest

from expectations import Examiner, ExaminerError, Frame
from expectations.arrival import Agreement, Stale, arrival_frames
from expectations.release import release_frames

AS_OF = date(2024, 6, 10)
CONTRACT = {"accounts": ("account_id", "name"), "csms": ("email",)}


@pytest.fixture(scope="module")
def examiner():
    examiner = Examiner()
    yield examiner
    examiner.close()


@pytest.fixture
def raw():
    """A raw schema that meets every expectation."""
    connection = duckdb.connect()
    connection.execute(
        """
        create schema raw_crm;
        create table raw_crm.accounts as
            select
                'a' || i as account_id, 'n' as name, 'crm/accounts.jsonl' as _location, i as _line,
                1::bigint as _load_number
            from range(20) as numbers (i);
        create table raw_crm.csms (
            email varchar, _location varchar, _line bigint, _load_number bigint
        );
        create table raw_crm.landed_files as
            select
                'accounts' as entity, 'crm/accounts.jsonl' as location, 'jsonl' as format,
                1::bigint as load_number,
                date '2024-06-09' as extract_date, timestamp '2024-06-10 03:00:00' as loaded_at,
                21::bigint as rows_read, 1::bigint as unparsed_rows,
                0::bigint as erased_rows;
        """
    )
    return connection


KEYS = {"accounts": ("account_id",), "csms": ("email",)}


def frames_of(raw, domain="crm", contract=CONTRACT, as_of=AS_OF, **agreed):
    return arrival_frames(raw, domain, Agreement(contract, KEYS, **agreed), as_of)


def arrival(examiner, raw, *args, **kwargs):
    return examiner.examine("arrival", frames_of(raw, *args, **kwargs))


def failed(findings):
    return {finding.says: finding for finding in findings if not finding.success}


def test_good_raw_data_arrives(examiner, raw):
    findings = arrival(examiner, raw)
    assert len(findings) == 7
    assert failed(findings) == {}


@pytest.mark.parametrize(
    ("harm", "says", "blocking", "observed"),
    [
        (
            "delete from raw_crm.accounts where account_id = 'a7'",
            "raw holds every record that was read from its files",
            True,
            "crm.accounts: 19 against 20",
        ),
        (
            "delete from raw_crm.accounts; delete from raw_crm.landed_files",
            "accounts have landed: every other record hangs on one",
            True,
            "crm.accounts: 0",
        ),
        (
            "alter table raw_crm.accounts drop column name",
            "every agreed column is there, as text",
            True,
            "crm.accounts.name: no such column",
        ),
        (
            "alter table raw_crm.accounts alter name type integer using 1",
            "every agreed column is there, as text",
            True,
            "crm.accounts.name: INTEGER",
        ),
        (
            "alter table raw_crm.csms add column team varchar",
            "columns come as they were agreed, and as in the files before",
            False,
            "\ncrm.csms.team: new: not agreed, kept in raw and in no figure. Correct its name where"
            " it was meant for another column; where it is meant, add crm.csms.team to"
            " accepted_drift.",
        ),
        (
            "update raw_crm.landed_files set rows_read = 60, unparsed_rows = 40",
            "most lines of the newest load could be parsed",
            True,
            "crm.accounts: 66.6667",
        ),
        (
            "update raw_crm.landed_files set extract_date = date '2024-06-02'",
            "on the as-of date the newest extract is no more days old than stale_after_days allows"
            " (land a newer one, or raise that setting for this source)",
            False,
            "crm, newest extract of 2024-06-02: 8 against 7",
        ),
    ],
)
def test_each_expectation_of_arrival_can_fail(examiner, raw, harm, says, blocking, observed):
    raw.execute(harm)
    findings = failed(arrival(examiner, raw))
    assert list(findings) == [says]
    assert (findings[says].blocking, findings[says].observed) == (blocking, observed)


@pytest.mark.parametrize(
    ("listed", "as_of", "observed"),
    [
        (16, AS_OF, None),
        (15, AS_OF, "crm.accounts of 2024-06-09, after 2024-06-02: 25 against 20"),
        # it does not count yet
        (15, date(2024, 6, 9), None),
    ],
)
def test_a_complete_extract_that_lost_more_than_the_setting_allows_fails(
    examiner, raw, listed, as_of, observed
):
    """Twenty accounts on the 2nd; on the 9th `listed` of them and ten others, in two files."""
    raw.execute(
        """
        update raw_crm.landed_files set extract_date = date '2024-06-02', unparsed_rows = 0,
            rows_read = 20;
        insert into raw_crm.accounts
            select 'a' || i, 'n', 'crm/accounts/b.csv', i, 3 from range(20 - $listed, 20) as t (i)
            union all
            select 'new' || i, 'n', 'crm/accounts/c.csv', i, 2 from range(10) as t (i)
            -- what the first of these files said before it was landed again
            union all
            select 'a' || i, 'n', 'crm/accounts/b.csv', i, 2 from range(20) as t (i);
        insert into raw_crm.landed_files
            select
                'accounts', location, 'csv', load_number, date '2024-06-09',
                timestamp '2024-06-09 03:00:00', records, 0, 0
            from (
                values
                    ('crm/accounts/b.csv', 2, 20),
                    ('crm/accounts/b.csv', 3, $listed),
                    ('crm/accounts/c.csv', 2, 10)
            ) as files (location, load_number, records);
        """.replace("$listed", str(listed))
    )
    findings = failed(arrival(examiner, raw, as_of=as_of, complete=["accounts"]))
    assert [finding.observed for finding in findings.values()] == ([observed] if observed else [])
    assert all(finding.blocking for finding in findings.values())
    assert failed(arrival(examiner, raw, as_of=as_of)) == {}


def test_a_complete_extract_after_an_empty_one_lost_nothing(examiner, raw):
    """As after an erasure of all that it listed."""
    raw.execute(
        """
        update raw_crm.landed_files set extract_date = date '2024-06-02';
        insert into raw_crm.landed_files
            select
                'csms', location, 'csv', 1, extract_date, timestamp '2024-06-09 03:00:00', 0, 0, 0
            from (
                values
                    ('crm/csms/2024-06-02.csv', date '2024-06-02'),
                    ('crm/csms/2024-06-09.csv', date '2024-06-09')
            ) as files (location, extract_date);
        """
    )
    assert failed(arrival(examiner, raw, complete=["csms"])) == {}


def test_a_domain_that_never_landed_is_no_failure(examiner, raw):
    raw.execute(
        """
        create schema raw_events;
        create table raw_events.events (
            user_id varchar, account_id varchar, product varchar, created_at varchar,
            _location varchar, _line bigint, _load_number bigint
        );
        create table raw_events.landed_files as from raw_crm.landed_files limit 0;
        """
    )
    columns = ("user_id", "account_id", "product", "created_at")
    findings = arrival(examiner, raw, "events", {"events": columns})
    assert failed(findings) == {}


def test_a_stale_source_blocks_where_the_setting_says_so(examiner, raw):
    raw.execute("update raw_crm.landed_files set extract_date = date '2024-06-07'")
    stale = {"": Stale(3, blocks=True), "accounts": Stale(2), "csms": Stale(0, blocks=True)}
    findings = failed(arrival(examiner, raw, stale=stale))
    assert {finding.observed: finding.blocking for finding in findings.values()} == {
        "crm.accounts, newest extract of 2024-06-07: 3 against 2": False
    }
    stale = {"": Stale(2, blocks=True), "accounts": Stale(3)}
    ((says, finding),) = failed(arrival(examiner, raw, stale=stale)).items()
    assert says.endswith(
        "(land a newer one, or raise that setting for this source, or set it to warn in"
        " stale_sources)"
    )
    assert (finding.blocking, finding.observed) == (
        True,
        "crm, newest extract of 2024-06-07: 3 against 2",
    )


def test_a_night_of_the_past_judges_staleness_by_what_there_was_then(raw):
    """Extracts of the 1st and the 9th: on the 8th the newest was a week old."""
    raw.execute(
        "insert into raw_crm.landed_files select * replace (date '2024-06-01' as extract_date, "
        "'crm/accounts/1.csv' as location) from raw_crm.landed_files"
    )

    def rows(as_of):
        return frames_of(raw, as_of=as_of)["freshness"].rows

    assert rows(date(2024, 6, 8)) == [["crm, newest extract of 2024-06-01", 7, 7]]
    assert rows(date(2024, 6, 9)) == [["crm, newest extract of 2024-06-09", 7, 0]]
    assert rows(date(2024, 5, 31)) == []


def test_an_undated_extract_is_as_old_as_its_load_and_holds_for_every_day_before(raw):
    raw.execute("update raw_crm.landed_files set extract_date = null")
    assert frames_of(raw)["freshness"].rows == [["crm, newest extract of 2024-06-10", 7, 0]]
    frames = frames_of(raw, as_of=date(2024, 6, 30))
    assert frames["freshness"].rows == [["crm, newest extract of 2024-06-10", 7, 20]]
    frames = frames_of(raw, as_of=date(2024, 1, 1))
    assert frames["freshness"].rows == [["crm, newest extract of 2024-01-01", 7, 0]]


def test_what_account360_landed_itself_makes_no_extract_newer(raw):
    before = frames_of(raw)["freshness"].rows
    raw.execute(
        "insert into raw_crm.landed_files select * replace (date '2024-06-10' as extract_date, "
        "'crm/account_assignments/account360/2024-06-10_000001_rule_0.jsonl' as location) "
        "from raw_crm.landed_files limit 1"
    )
    assert frames_of(raw)["freshness"].rows == before


def test_the_share_of_a_few_lines_means_nothing(raw):
    raw.execute("update raw_crm.landed_files set rows_read = 9, unparsed_rows = 9")
    assert frames_of(raw)["newest_load"].rows == []


@pytest.fixture
def candidate():
    """A candidate of two tables that meets every expectation, and its row counts."""
    connection = duckdb.connect()
    connection.execute(
        """
        create table account_360 as
            select
                'a' || i as account_id, 100.00::decimal(18, 2) as subscription_mrr,
                100.00::decimal(18, 2) as ending_mrr, 50.0::double as csm_score,
                date '2024-06-10' as as_of_date
            from range(200) as numbers (i);
        create table account_mrr_monthly as
            select
                0.0 as contraction_mrr, 1.0 as expansion_mrr, 2.0 as ending_mrr,
                date '2024-06-10' as as_of_date;
        """
    )
    return connection


COUNTS = {"account_360": 200, "account_mrr_monthly": 1}


def release(examiner, candidate, expected=COUNTS, parquet=COUNTS, views=()):
    frames = release_frames(candidate, expected, parquet, AS_OF, views)
    return examiner.examine("release", frames)


def test_views_are_released_if_they_stand_on_what_is_there(examiner, candidate):
    candidate.execute(
        """
        create view large as select csm_score from account_360;
        create view broken as select csm_score from account_360;
        """
    )
    assert failed(release(examiner, candidate, views=["large", "broken"])) == {}
    candidate.execute("drop view broken; create table lost (score double)")
    candidate.execute("create view broken as select score from lost; drop table lost")
    (finding,) = failed(release(examiner, candidate, views=["absent", "broken", "large"])).values()
    assert finding.blocking
    assert "absent: does not answer: Catalog Error: Table with name absent" in str(finding)
    assert "broken: does not answer: Catalog Error: Table with name lost" in str(finding)
    assert "large" not in str(finding)


def test_a_good_candidate_is_released(examiner, candidate):
    findings = release(examiner, candidate)
    assert len(findings) == 7
    assert failed(findings) == {}


def test_a_figure_of_the_last_full_day_that_does_not_close_blocks(examiner, candidate):
    candidate.execute(
        """
        create table closure (metric varchar, closes boolean, period date);
        create view metric_closure as from closure;
        insert into closure values
            ('mau', true, date '2024-06-09'),
            ('mau', false, date '2024-06-08'),
            ('activity_rank', false, date '2024-06-09');
        """
    )
    counts = COUNTS | {"closure": 3}
    frames = release_frames(candidate, counts, counts, AS_OF, ["metric_closure"])
    assert frames["closure"].rows == [["mau", 1, 1]]
    candidate.execute("insert into closure values ('mau', false, date '2024-06-09')")
    frames = release_frames(candidate, counts, counts, AS_OF, ["metric_closure"])
    (finding,) = [
        one
        for one in examiner.examine("release", {"closure": frames["closure"]})
        if not one.success
    ]
    assert finding.blocking
    assert "mau" in str(finding)


@pytest.mark.parametrize(
    ("harm", "says", "blocking", "observed"),
    [
        (
            "delete from account_360 where account_id = 'a1'",
            "each table has as many rows in the DuckDB file as in the warehouse",
            True,
            "account_360: 199 against 200",
        ),
        (
            "update account_360 set as_of_date = date '2024-06-09' where account_id = 'a1'",
            "every table is of the night's as-of date",
            True,
            "account_360: 2024-06-09 against 2024-06-10",
        ),
        (
            "alter table account_mrr_monthly drop column as_of_date",
            "every table is of the night's as-of date",
            True,
            "account_mrr_monthly: no column as_of_date against 2024-06-10",
        ),
        (
            "update account_360 set csm_score = 100.5 where account_id = 'a1'",
            "figures stay within the bounds of their definition",
            True,
            "account_360.csm_score: 100.5 (at most 100)",
        ),
        (
            "update account_mrr_monthly set expansion_mrr = -1",
            "figures stay within the bounds of their definition",
            True,
            "account_mrr_monthly.expansion_mrr: -1 (at least 0)",
        ),
        (
            "update account_mrr_monthly set ending_mrr = -2",
            "no MRR is negative",
            False,
            "account_mrr_monthly.ending_mrr: -2 (at least 0)",
        ),
    ],
)
def test_each_expectation_of_release_can_fail(examiner, candidate, harm, says, blocking, observed):
    candidate.execute(harm)
    counts = dict(COUNTS)
    counts["account_360"] = candidate.execute("select count(*) from account_360").fetchone()[0]
    findings = failed(release(examiner, candidate, parquet=counts))
    assert list(findings) == [says]
    assert (findings[says].blocking, findings[says].observed) == (blocking, observed)


def test_a_missing_table_is_named(examiner, candidate):
    expected = {**COUNTS, "account_invoices": 0}
    findings = failed(release(examiner, candidate, expected))
    assert [finding.observed for finding in findings.values()] == ["account_invoices: missing"]


def test_a_parquet_file_with_other_rows_is_named(examiner, candidate):
    findings = failed(release(examiner, candidate, parquet={**COUNTS, "account_360": 0}))
    assert [str(finding) for finding in findings.values()] == [
        "each table has as many rows as Parquet as in the DuckDB file; "
        "found account_360: 0 against 200"
    ]


def test_an_empty_account_360_is_no_release(examiner, candidate):
    candidate.execute("delete from account_360")
    empty = {**COUNTS, "account_360": 0}
    findings = failed(release(examiner, candidate, empty, empty))
    assert list(findings) == ["account_360 has accounts"]


def test_a_suite_that_cannot_run_says_why(examiner):
    with pytest.raises(ExaminerError, match="suite arrival could not be run"):
        examiner.examine("arrival", {"freshness": Frame(["subject", "other"], [["crm", 1]])})


def test_an_examiner_that_died_says_so():
    examiner = Examiner()
    examiner._process.kill()
    examiner._process.wait()
    with pytest.raises(ExaminerError, match="ended"):
        examiner.examine("arrival", {})
    assert not examiner.is_alive
    examiner.close()
