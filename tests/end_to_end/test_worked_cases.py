"""The worked cases A–J of the metrics reference as landing files, and invoices around month ends.

Everything expected here was written by hand from the definitions. As of 2024-06-10, grace 3 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.end_to_end.nights import RUN_BEARING, Home, Night, contents, records, written

AS_OF = "2024-06-10"
WEST, EAST = "America/Los_Angeles", "Pacific/Auckland"
ZONES = ("UTC", WEST, EAST)
NIGHTS = (*ZONES, "inclusive")

# Ends are exclusive. A to J are the cases of the reference; N is billed in euros.
SUBSCRIPTIONS = """
account_id subscription_id start_date end_date   expiration_date total_revenue cycle_length
A          a               2024-01-01 -          -               1200          12
B          b               2021-01-01 2024-01-01 -               100           1
B          b               2024-01-01 -          2025-01-01      120           1
C          c               2024-03-01 -          -               70            1
D          d               2024-01-10 2024-02-01 -               50            1
E          e               2024-02-05 2024-02-25 -               90            1
F          f-1             2024-01-01 2024-01-31 -               30            1
F          f-2             2024-02-02 -          -               30            1
G          g               2024-01-01 2024-02-15 -               40            1
G          g               2024-04-20 -          -               60            1
H          h-1             2024-01-01 -          -               100           1
H          h-2             2024-02-10 -          -               50            1
H          h-3             2024-01-01 2024-03-15 -               20            1
I          i               2024-01-01 -          2024-03-10      80            1
J          j               2024-01-01 -          2024-02-10      100           1
J          j               2024-05-20 -          -               100           1
N          n               2024-05-01 -          2024-06-01      50            1
N          n               2024-06-01 -          -               50            1
"""

ACCOUNTS = """
account_id name join_date  renewal_date currency
A          Ada  2024-01-01 2024-12-31   USD
B          Ben  2024-01-01 2024-12-31   USD
C          Cy   2024-01-01 -            USD
D          Dot  2024-01-01 -            USD
E          Eve  2024-01-01 -            USD
F          Flo  2024-01-01 -            -
G          Gus  2024-01-01 -            USD
H          Hal  2024-01-01 -            USD
I          Ida  2024-01-01 -            USD
J          Jo   2024-01-01 -            USD
K          Kim  2024-03-01 -            USD
N          Nils 2024-04-01 -            EUR
"""

# K's amounts are powers of two: a sum tells which invoices are in it. k-6 has no offset and is read
# in the reporting time zone; k-7 is 2024-05-31T23:59:59Z.
INVOICES = """
invoice_id account_id created_at                paid_at              is_failed currency
k-1        K          2024-03-01T07:59:59Z      -                    -         -
k-2        K          2024-04-01T06:59:59Z      2024-05-01T03:00:00Z false     USD
k-3        K          2024-04-01T00:00:00+13:00 -                    -         -
k-4        K          2024-03-31T10:59:59Z      2024-04-10T12:00:00Z -         USD
k-5        K          2024-05-31T12:00:00Z      2024-06-10T03:00:00Z -         -
k-6        K          2024-05-01T00:00:00       2024-05-20T12:00:00Z true      -
k-7        K          1717199999000             -                    -         -
k-8        K          2024-06-09T23:30:00Z      -                    -         -
k-9        K          2024-06-10T05:00:00Z      -                    -         -
n-1        N          2024-05-01T02:00:00Z      2024-06-01T03:00:00Z -         -
n-2        N          2024-05-10T12:00:00Z      2024-06-05T12:00:00Z -         USD
n-3        N          2024-05-10T12:00:00Z      -                    -         GBP
"""

INVOICE_LINES = """
invoice_id line_number amount is_recurring
k-1        1           1      true
k-2        1           2      true
k-3        1           4      true
k-4        1           8      true
k-4        2           -1.00  true
k-4        3           3.00   false
k-4        4           5.00   -
k-5        1           16     true
k-6        1           32     true
k-7        1           64     true
k-8        1           128    true
k-9        1           256    true
n-1        1           100    true
n-2        1           60     false
n-3        1           30     false
"""

# A euro is 1.10, 1.20, 1.25, 1.60 dollars; a dollar buys 0.625 pounds, so a pound is 1.60 dollars.
FX_RATES = """
rate_date  from_currency to_currency rate
2024-04-01 EUR           USD         1.10
2024-05-01 EUR           USD         1.20
2024-05-31 EUR           USD         1.25
2024-06-01 EUR           USD         1.60
2024-04-01 USD           GBP         0.625
"""

DATES = ("start_date", "end_date", "expiration_date")


@pytest.fixture(scope="module")
def nights(empty_home: Callable[[], Home]) -> dict[str, Night]:
    """One night per time zone, and one of a source whose end dates are inclusive."""
    home = empty_home()
    _land(home)
    played = {zone: home.night(AS_OF, reporting_time_zone=zone) for zone in ZONES}
    home = empty_home()
    _land(home, days_off_the_end=1)
    return {**played, "inclusive": home.night(AS_OF, end_date_is_inclusive="true")}


@pytest.fixture(params=NIGHTS)
def night(nights: dict[str, Night], request: pytest.FixtureRequest) -> Night:
    return nights[request.param]


def _land(home: Home, days_off_the_end: int = 0) -> None:
    """Land everything, text and typed, spread over CSV, JSONL and Parquet."""
    subscriptions = records(SUBSCRIPTIONS)
    for record in subscriptions:
        record["cycle_unit"] = "month"
        for column in ("end_date", "expiration_date"):
            if record[column]:
                last = date.fromisoformat(record[column]) - timedelta(days=days_off_the_end)
                record[column] = last.isoformat()
    home.land(
        {
            "crm/accounts.csv": records(ACCOUNTS),
            "billing/subscriptions/1.csv": subscriptions[:4],
            "billing/subscriptions/2.jsonl.gz": subscriptions[4:10],
            "billing/subscriptions/3.parquet": list(_typed(subscriptions[10:])),
            "billing/invoices.jsonl": records(INVOICES),
            "billing/invoice_lines.csv.gz": records(INVOICE_LINES),
            "billing/fx_rates.csv": records(FX_RATES),
        }
    )


def _typed(rows: list[dict[str, str | None]]) -> Iterator[dict[str, object]]:
    for row in rows:
        dates = {name: row[name] and date.fromisoformat(row[name]) for name in DATES}
        amounts = {"total_revenue": Decimal(row["total_revenue"]), "cycle_length": 1}
        yield {**row, **dates, **amounts}


def test_every_night_published(night: Night) -> None:
    assert night.exit_code == 0, night.out + night.err
    assert "published in" in night.out


def test_every_movement(night: Night) -> None:
    assert night.shows(
        """
        select
            account_id as acct, month, movement, movement_subclass as subclass,
            months_since_lost as since, new_mrr as new, expansion_mrr as expansion,
            contraction_mrr as contraction, lost_mrr as lost, intra_month_mrr as intra
        from account_mrr_monthly
        where movement != 'none' or intra_month_mrr != 0
        order by account_id, month
        """
    ) == written(
        """
        acct month      movement    subclass     since new expansion contraction lost intra
        A    2024-01-01 new         new_logo     -     100 0         0           0    0
        B    2021-01-01 new         new_logo     -     100 0         0           0    0
        B    2024-01-01 expansion   -            -     0   20        0           0    0
        C    2024-03-01 new         new_logo     -     70  0         0           0    0
        D    2024-01-01 new         new_logo     -     50  0         0           0    0
        D    2024-02-01 lost        -            -     0   0         0           -50  0
        E    2024-02-01 none        -            -     0   0         0           0    90
        F    2024-01-01 new         new_logo     -     30  0         0           0    0
        G    2024-01-01 new         new_logo     -     40  0         0           0    0
        G    2024-02-01 lost        -            -     0   0         0           -40  0
        G    2024-04-01 new         reactivation 2     60  0         0           0    0
        H    2024-01-01 new         new_logo     -     120 0         0           0    0
        H    2024-02-01 expansion   -            -     0   50        0           0    0
        H    2024-03-01 contraction -            -     0   0         -20         0    0
        I    2024-01-01 new         new_logo     -     80  0         0           0    0
        I    2024-03-01 lost        -            -     0   0         0           -80  0
        J    2024-01-01 new         new_logo     -     100 0         0           0    0
        J    2024-02-01 lost        -            -     0   0         0           -100 0
        J    2024-05-01 new         reactivation 3     100 0         0           0    0
        N    2024-05-01 new         new_logo     -     50  0         0           0    0
        """
    )


def by_month(column: str, table: str) -> str:
    """A query with a row per account and a column per month of 2024 up to June."""
    names = ("jan", "feb", "mar", "apr", "may", "jun")
    months = ", ".join(
        f"sum({column}) filter (where month = make_date(2024, {number}, 1)) as {name}"
        for number, name in enumerate(names, start=1)
    )
    return f"""
        select account_id as acct, {months}
        from {table}
        where account_id != 'K'
        group by account_id
        order by account_id
    """


ENDING_MRR = """
    acct jan feb mar apr may jun
    A    100 100 100 100 100 100
    B    120 120 120 120 120 120
    C    0   0   70  70  70  70
    D    50  0   0   0   0   0
    E    0   0   0   0   0   0
    F    30  30  30  30  30  30
    G    40  0   0   60  60  60
    H    120 170 150 150 150 150
    I    80  80  0   0   0   0
    J    100 0   0   0   100 100
    N    -   -   -   0   50  50
"""


def test_ending_mrr_of_every_month(night: Night) -> None:
    assert night.shows(by_month("ending_mrr", "account_mrr_monthly")) == written(ENDING_MRR)


def test_starting_mrr_is_the_ending_mrr_of_the_month_before(night: Night) -> None:
    header, *ending = written(ENDING_MRR)
    january = {"B": "100", "N": "-"}
    expected = [[row[0], january.get(row[0], "0"), *row[1:-1]] for row in ending]
    expected[-1][4] = "0"
    assert night.shows(by_month("starting_mrr", "account_mrr_monthly")) == [header, *expected]


def test_subscription_mrr_is_that_of_the_first_day_of_the_month(night: Night) -> None:
    assert night.shows(by_month("subscription_mrr", "account_revenue_monthly")) == written(
        """
        acct jan feb mar apr may jun
        A    100 100 100 100 100 100
        B    120 120 120 120 120 120
        C    0   0   70  70  70  70
        D    0   0   0   0   0   0
        E    0   0   0   0   0   0
        F    30  30  30  30  30  30
        G    40  40  0   0   60  60
        H    120 120 170 150 150 150
        I    80  80  80  0   0   0
        J    100 100 0   0   0   100
        N    -   -   -   0   50  50
        """
    )


def test_totals_of_a_to_i(night: Night) -> None:
    assert night.shows(
        """
        select month, sum(ending_mrr) as ending
        from account_mrr_monthly
        where account_id <= 'I' and month between '2024-01-01' and '2024-04-01'
        group by month
        order by month
        """
    ) == written(
        """
        month      ending
        2024-01-01 540
        2024-02-01 500
        2024-03-01 470
        2024-04-01 530
        """
    )


def test_months_without_gaps_from_the_first_record_to_the_open_one(night: Night) -> None:
    """B's first record is older than its join date."""
    assert night.shows(
        """
        select
            account_id as acct, min(month) as first, max(month) as last, count(*) as months,
            string_agg(month, '') filter (where is_open_month) as open,
            count(*) filter (where is_provisional_loss) as provisional
        from account_mrr_monthly
        where account_id in ('A', 'B', 'E')
        group by account_id
        order by account_id
        """
    ) == written(
        """
        acct first      last       months open       provisional
        A    2024-01-01 2024-06-01 6      2024-06-01 0
        B    2021-01-01 2024-06-01 42     2024-06-01 0
        E    2024-01-01 2024-06-01 6      2024-06-01 0
        """
    )


def test_accounts_as_of_the_night(night: Night) -> None:
    """I's subscription expired, yet the account is not churned; F has no currency of its own."""
    assert night.shows(
        """
        select
            account_id as acct, currency, is_churned as churned, subscription_mrr as mrr,
            ending_mrr_reporting as reporting, next_renewal_date as renewal
        from account_360
        order by account_id
        """
    ) == written(
        """
        acct currency churned mrr reporting renewal
        A    USD      no      100 100       2024-12-31
        B    USD      no      120 120       2025-01-01
        C    USD      no      70  70        -
        D    USD      no      0   0         -
        E    USD      no      0   0         -
        F    USD      no      30  30        -
        G    USD      no      60  60        -
        H    USD      no      150 150       -
        I    USD      no      0   0         -
        J    USD      no      100 100       -
        K    USD      no      0   0         -
        N    EUR      no      50  60        -
        """
    )


def test_a_renewal_in_another_currency_at_the_same_price_moves_nothing(night: Night) -> None:
    """N renews on the day on which the euro rises from 1.25 to 1.60: its run began at 1.20."""
    assert night.shows(
        """
        select
            month, currency, movement, ending_mrr as ending, ending_mrr_reporting as reporting,
            exchange_mrr_reporting as exchange
        from account_mrr_monthly
        where account_id = 'N'
        order by month
        """
    ) == written(
        """
        month      currency movement ending reporting exchange
        2024-04-01 EUR      none     0      0         0
        2024-05-01 EUR      new      50     60        0
        2024-06-01 EUR      none     50     60        0
        """
    )


def test_inclusive_ends_one_day_earlier_publish_the_same(nights: dict[str, Night]) -> None:
    # all but the settings themselves
    leave_out = {*RUN_BEARING, "audit_definitions"}
    exclusive, inclusive = (
        contents(nights[name].database, leave_out) for name in ("UTC", "inclusive")
    )
    assert inclusive == exclusive


REVENUE = {
    "UTC": """
        acct month      recurring non_recurring unclassified failed payments
        K    2024-03-01 12        3             5            0      0
        K    2024-04-01 2         0             0            0      15
        K    2024-05-01 112       0             0            32     2
        K    2024-06-01 128       0             0            0      0
        N    2024-04-01 0         0             0            0      0
        N    2024-05-01 100       90            0            0      0
        N    2024-06-01 0         0             0            0      137.5
    """,
    # k-1 is of February there, k-2 of March and paid in April, k-9 of the last full day; k-5 is
    # paid on it. n-1 is of April and paid in May.
    WEST: """
        acct month      recurring non_recurring unclassified failed payments
        K    2024-02-01 1         0             0            0      0
        K    2024-03-01 13        3             5            0      0
        K    2024-04-01 0         0             0            0      17
        K    2024-05-01 112       0             0            32     0
        K    2024-06-01 384       0             0            0      16
        N    2024-04-01 100       0             0            0      0
        N    2024-05-01 0         90            0            0      100
        N    2024-06-01 0         0             0            0      37.5
    """,
    # k-3 is of April there, k-5 and k-7 of June, and k-8 of the first day that is not complete.
    EAST: """
        acct month      recurring non_recurring unclassified failed payments
        K    2024-03-01 8         3             5            0      0
        K    2024-04-01 6         0             0            0      15
        K    2024-05-01 32        0             0            32     2
        K    2024-06-01 80        0             0            0      0
        N    2024-04-01 0         0             0            0      0
        N    2024-05-01 100       90            0            0      0
        N    2024-06-01 0         0             0            0      137.5
    """,
}


@pytest.mark.parametrize("zone", ZONES)
def test_invoices_fall_into_the_months_of_the_reporting_time_zone(
    nights: dict[str, Night], zone: str
) -> None:
    assert nights[zone].shows(
        """
        select
            account_id as acct, month, recurring_invoice_revenue as recurring,
            non_recurring_invoice_revenue as non_recurring,
            unclassified_invoice_revenue as unclassified, failed_invoice_revenue as failed,
            payments
        from account_revenue_monthly
        where account_id in ('K', 'N')
        order by account_id, month
        """
    ) == written(REVENUE[zone])


# N's euros are worth what they were on the local day of booking and of payment: n-1 120 or, a day
# earlier, 110; paid it is worth 160 or 125. The dollars of n-2 stay 60, the pounds of n-3 make 48.
REVENUE_IN_DOLLARS = {
    "UTC": """
        month      recurring non_recurring payments
        2024-04-01 0         0             0
        2024-05-01 120       108           0
        2024-06-01 0         0             220
    """,
    WEST: """
        month      recurring non_recurring payments
        2024-04-01 110       0             0
        2024-05-01 0         108           125
        2024-06-01 0         0             60
    """,
    EAST: """
        month      recurring non_recurring payments
        2024-04-01 0         0             0
        2024-05-01 120       108           0
        2024-06-01 0         0             220
    """,
}


@pytest.mark.parametrize("zone", ZONES)
def test_euros_are_converted_at_the_rate_of_the_local_day(
    nights: dict[str, Night], zone: str
) -> None:
    assert nights[zone].shows(
        """
        select
            month, recurring_invoice_revenue_reporting as recurring,
            non_recurring_invoice_revenue_reporting as non_recurring,
            payments_reporting as payments
        from account_revenue_monthly
        where account_id = 'N'
        order by month
        """
    ) == written(REVENUE_IN_DOLLARS[zone])


LIFETIME = {
    "UTC": """
        acct revenue payments in_dollars
        K    262     17       262
        N    190     137.5    228
    """,
    WEST: """
        acct revenue payments in_dollars
        K    518     33       518
        N    190     137.5    218
    """,
    EAST: """
        acct revenue payments in_dollars
        K    134     17       134
        N    190     137.5    228
    """,
}


@pytest.mark.parametrize("zone", ZONES)
def test_lifetime_revenue_is_all_that_was_booked_up_to_the_last_full_day(
    nights: dict[str, Night], zone: str
) -> None:
    assert nights[zone].shows(
        """
        select
            account_id as acct, lifetime_revenue as revenue, lifetime_payments as payments,
            lifetime_revenue_reporting as in_dollars
        from account_360
        where account_id in ('K', 'N')
        order by account_id
        """
    ) == written(LIFETIME[zone])


def test_invoices_one_by_one(nights: dict[str, Night]) -> None:
    """In the west: k-5 is paid, k-6 was created at midnight there, which is seven hours later."""
    assert nights[WEST].shows(
        """
        select
            invoice_id as id, created_at, paid_at, is_failed as failed, currency,
            recurring_amount as rec, non_recurring_amount as other, unclassified_amount as open,
            total_amount as total
        from account_invoices
        where invoice_id in ('k-4', 'k-5', 'k-6', 'k-7', 'n-2')
        order by invoice_id
        """
    ) == written(
        """
        id  created_at          paid_at             failed currency rec other open total
        k-4 2024-03-31T10:59:59 2024-04-10T12:00:00 no     USD      7   3     5    15
        k-5 2024-05-31T12:00:00 2024-06-10T03:00:00 no     USD      16  0     0    16
        k-6 2024-05-01T07:00:00 2024-05-20T12:00:00 yes    USD      32  0     0    32
        k-7 2024-05-31T23:59:59 -                   no     USD      64  0     0    64
        n-2 2024-05-10T12:00:00 2024-06-05T12:00:00 no     USD      0   60    0    60
        """
    )
