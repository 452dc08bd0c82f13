"""What may be typed after `account360`: commands, options, and the help on them."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

_EPILOG = """\
examples:
  account360 demo                          write the landing files of a demo company
  account360 run                           load, check, build and publish, as of today
  account360 run --as-of 2024-06-10        as of another day: the first day that is not complete
  account360 run --landing inbox --home wh another landing folder, another home folder
  account360 run --accept CHECK --reason "why"    publish once although the release check fails
  account360 status                        what is published, and how the last night ended
  account360 status --check --alert        whether it is fresh; tell who is to be told, if not
  account360 backfill 2024-06-01 2024-06-10    past nights, each beside the current publish
  account360 explain ending_mrr --account ACC-1001    one figure, down to the records
  account360 diff previous current         what changed with the last publish
  account360 publishes                     the publishes that are kept
  account360 rollback previous             lead readers back to the publish before
  account360 verify --all                  whether every kept publish is what was sealed
  account360 assign preview RULE           what an assignment rule would change
  account360 erase --account A --dry-run   what an erasure would take out of everything
  account360 ui                            Dagster's pages on this machine

Settings stand in account360.toml; each also as ACCOUNT360_<NAME> in the environment, which wins.
"""

_ASSIGN_EPILOG = """\
examples:
  account360 assign list                           CSMs, and accounts with theirs
  account360 assign list --csm ann@x.example       the accounts of one of them
  account360 assign list --unassigned              those of nobody
  account360 assign preview tier_1_at_risk         what a rule would assign, unassign or shift
  account360 assign apply tier_1_at_risk           land the records that do, from the as-of date on
  account360 assign apply moved --date 2024-06-15  or from another day on
  account360 assign add ACC-1001 ann@x.example     one CSM of one account
  account360 assign remove ACC-1001 bob@x.example

Rules stand in settings/assignment_rules.toml (setting assignment_rules_file), which says how they
are written. They are judged by what is published, as of its as-of date, and what was landed since.
What apply, add and remove change is landed below crm/account_assignments/account360/ and counts
from the next night on; a second time changes nothing more. Nothing else is written, and no
source's file is touched.
"""

_EXPLAIN_EPILOG = """\
examples:
  account360 explain                                             the metrics there are
  account360 explain payments                                    what one is
  account360 explain payments --account ACC-1001 --month 2024-05 a figure of it, taken apart
  account360 explain dau --account ACC-1001 --day 2024-06-28     of a day
  account360 explain ticket_age_days --account ACC-1001 --key ticket_id=TCK-7
                                                                 of a ticket: any other key

Reads what is published. Keys that are not named and leave several figures: all are listed. Which
events a day of activity is made of is read from the warehouse, unless a run has it.
"""


def parser() -> argparse.ArgumentParser:
    """The parser; what is typed comes as `command`, for `assign` `action`, and their options."""
    formatter = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="account360",
        description="A batch data warehouse for customer success.",
        epilog=_EPILOG,
        formatter_class=formatter,
    )
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )

    run = commands.add_parser(
        "run",
        help="run a night: load, check, build, check, publish",
        description="Run a night. Exit code 0 only if it published; a failed check leaves the last "
        "publish as it is.",
    )
    run.add_argument(
        "--as-of",
        type=_date,
        metavar="DATE",
        help="first day that is not complete, YYYY-MM-DD; default: today in the reporting time "
        "zone. Before the current publish's: published beside it, in published/as_of=DATE",
    )
    _add_folders(run)
    run.add_argument(
        "--full-refresh", action="store_true", help="rebuild incremental models from raw"
    )
    run.add_argument(
        "--make-current",
        action="store_true",
        help="lead readers to this publish even if its as-of date is before the current one's",
    )
    run.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="CHECK",
        help="publish this once although this release check (drift.…) fails; as often as needed",
    )
    run.add_argument(
        "--reason",
        action="append",
        default=[],
        metavar="TEXT",
        help="why; one for all accepted checks, or one for each",
    )
    run.add_argument(
        "--wait",
        type=_minutes,
        nargs="?",
        const=-1.0,
        metavar="MINUTES",
        help="wait so long for another run in this home folder (without a number: as the setting "
        "wait_minutes says, else 60); default: that setting, else the run is refused",
    )

    _add_backfill(commands)

    demo = commands.add_parser(
        "demo",
        help="write the landing files of a demo company",
        description="Write the landing files of a demo company: the same ones for the same seed.",
    )
    _add_folders(demo)
    demo.add_argument(
        "--scale",
        type=_positive,
        default=1.0,
        help="size of the company (default 1: about 120 accounts)",
    )
    demo.add_argument("--seed", type=int, help="another seed, another company")
    demo.add_argument(
        "--nights", type=_nights, default=7, help="over how many nights the files land (default 7)"
    )
    demo.add_argument(
        "--as-of", type=_date, metavar="DATE", help="the day after the last one that has facts"
    )
    demo.add_argument(
        "--force", action="store_true", help="write into a landing folder that has files already"
    )

    status = commands.add_parser("status", help="what is published, and how the last night ended")
    status.add_argument(
        "--check",
        action="store_true",
        help="exit code 1 when the publish or its data is stale, or the last night failed",
    )
    status.add_argument(
        "--alert", action="store_true", help="with --check: tell of it, each state once"
    )
    _add_home(status)

    _add_explain(commands)

    diff = commands.add_parser(
        "diff",
        help="how two kept publishes differ: schema, rows, figures of past periods",
        description="How two kept publishes differ. A publish is given by its id or the beginning "
        "of one, as current or previous (the one before it), as_of=DATE, or candidate: the one "
        "that the checks of the last night stopped.",
    )
    diff.add_argument("before", metavar="PUBLISH", nargs="?", default="previous")
    diff.add_argument("after", metavar="PUBLISH", nargs="?", default="current")
    diff.add_argument("--json", action="store_true", help="as JSON")
    diff.add_argument(
        "--limit", type=int, default=3, help="figures shown of each metric (default 3)"
    )
    _add_home(diff)

    _add_publishes(commands)
    _add_assign(commands)
    _add_erase(commands)

    services = commands.add_parser(
        "dagster-home",
        help="write dagster.yaml by the settings and print its folder, for services of your own",
    )
    _add_home(services)

    ui = commands.add_parser("ui", help="Dagster's pages, on this machine only")
    _add_folders(ui)
    ui.add_argument("--port", type=int, default=3000, help="default 3000")
    return top


def _add_backfill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backfill = commands.add_parser(
        "backfill",
        help="run the nights of a range of as-of dates, each published beside the current one",
        description="Run one night after another, in the order of their dates. Each is published "
        "in published/as_of=DATE; published/current stays as it is. Exit code 0 only if all "
        "published.",
    )
    backfill.add_argument("first", type=_date, metavar="FROM", help="first as-of date, YYYY-MM-DD")
    backfill.add_argument("last", type=_date, metavar="TO", help="last one, itself included")
    backfill.add_argument(
        "--keep-going", action="store_true", help="go on with the next date after one that failed"
    )
    backfill.add_argument(
        "--full-refresh", action="store_true", help="rebuild incremental models, in the first night"
    )
    _add_folders(backfill)


def _add_publishes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    names = (
        "A publish is given by its id or the beginning of one, as current or previous (the one "
        "before it), or as_of=DATE."
    )
    publishes = commands.add_parser("publishes", help="the publishes that are kept")
    publishes.add_argument("--json", action="store_true", help="as JSON")
    _add_home(publishes)

    rollback = commands.add_parser(
        "rollback",
        help="lead readers back to a kept publish, at once",
        description="Lead readers to a kept publish, at once, also while a night runs. Who did it, "
        f"when and why is kept. The next night publishes as usual. {names}",
    )
    rollback.add_argument("publish", metavar="PUBLISH")
    rollback.add_argument("--reason", metavar="TEXT", help="kept with it, and published")
    _add_home(rollback)

    verify = commands.add_parser(
        "verify",
        help="whether publishes are what was sealed, byte by byte and row by row",
        description="Compare publishes with the hashes that were kept of them: bytes of files, "
        "content of tables in DuckDB, Parquet and, where it still stands at that publish, the "
        f"warehouse. Exit code 1 where something differs. {names}",
    )
    verify.add_argument("publish", metavar="PUBLISH", nargs="?", default="current")
    verify.add_argument("--all", action="store_true", help="every publish that is kept")
    verify.add_argument(
        "--no-warehouse",
        action="store_true",
        help="look at the publishes alone; else runs are held off while the warehouse is read",
    )
    _add_home(verify)


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser(
        "explain",
        help="what a figure is, and which landed records it is made of",
        description="Take a published figure apart, down to the files and lines of its records.",
        epilog=_EXPLAIN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument("metric", metavar="METRIC", nargs="?", help="name of the metric")
    explain.add_argument("--account", metavar="ID", help="account_id")
    explain.add_argument("--user", metavar="ID", help="user_id, for figures of a user")
    explain.add_argument("--csm", metavar="E-MAIL", help="for figures of a CSM")
    explain.add_argument(
        "--key",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=_key,
        help="another key, as often as needed",
    )
    period = explain.add_mutually_exclusive_group()
    period.add_argument("--month", type=_month, metavar="YYYY-MM", help="default: the latest")
    period.add_argument("--day", type=_date, metavar="YYYY-MM-DD", help="default: the latest")
    explain.add_argument("--json", action="store_true", help="all of it, for programs")
    _add_home(explain)


def _add_assign(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    assign = commands.add_parser(
        "assign",
        help="CSMs and their accounts: list, preview and apply rules, add, remove",
        description="See and change which CSMs look after which accounts.",
        epilog=_ASSIGN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = assign.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="CSMs and accounts, as published")
    either = listing.add_mutually_exclusive_group()
    either.add_argument("--csm", metavar="E-MAIL", help="only the accounts of this CSM")
    either.add_argument("--unassigned", action="store_true", help="only accounts without a CSM")
    _add_folders(listing)
    for name, text in (
        ("preview", "list what a rule would change; writes nothing"),
        ("apply", "land the records of what a rule changes"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        action.add_argument("rule", metavar="RULE", nargs="?", help="name of the rule")
        _add_day(action)
    for name, text in (
        ("add", "assign a CSM to an account"),
        ("remove", "unassign a CSM from an account"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        action.add_argument("account", metavar="ACCOUNT", help="account_id")
        action.add_argument("csm", metavar="CSM", help="e-mail of the CSM")
        _add_day(action)


def _add_erase(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    erase = commands.add_parser(
        "erase",
        help="take an account or a person out of everything below the home folder",
        description="Take an account or a person out of the warehouse, every kept publish, logs "
        "and history, so that no later extract brings it back. Landing files are not touched.",
    )
    erase.add_argument("--account", metavar="A", help="account_id: the account with all it has")
    erase.add_argument("--user", nargs=2, metavar=("A", "U"), help="a product user of an account")
    erase.add_argument("--contact", nargs=2, metavar=("A", "C"), help="a contact of an account")
    erase.add_argument("--resume", action="store_true", help="finish one that was cut short")
    erase.add_argument("--dry-run", action="store_true", help="list what would go; write nothing")
    erase.add_argument("--yes", action="store_true", help="do not ask whether it is meant")
    _add_folders(erase)


def _add_day(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--date",
        type=_date,
        help="first day on which it holds, YYYY-MM-DD, also one to come; default: the as-of date "
        "of the current publish",
    )
    _add_folders(parser)


def _add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, metavar="DIR", help="where everything a run makes is")


def _add_folders(parser: argparse.ArgumentParser) -> None:
    _add_home(parser)
    parser.add_argument("--landing", type=Path, metavar="DIR", help="where sources put their files")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: YYYY-MM-DD is") from None


def _month(text: str) -> date:
    try:
        return date.fromisoformat(text if len(text) != 7 else f"{text}-01").replace(day=1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month: YYYY-MM is") from None


def _key(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is no key: KEY=VALUE is")
    return key, value


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def _minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1440:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes from 0 to 1440")
    return number


def _nights(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 366:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of nights from 1 to 366")
    return int(text)
