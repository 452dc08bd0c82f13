"""The command line: `account360 run`, `backfill`, `demo`, `status`, `explain`, `diff` and others.

Exit codes: 0 when what was asked for was done (for `run`: it published), 1 when a run failed or
`status --check` found something, 2 when it was asked wrongly (an option, a setting, a folder that
is not there).
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from settings import PROJECT_ROOT, Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from orchestration.assignment import Book

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


class UsageError(ValueError):
    """The command line asks for something that cannot be; the message says what can."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. Expected failures are messages, never tracebacks."""
    # A night holds a manifest of a million objects, which are not worth being looked through often.
    gc.set_threshold(100_000, 10, 1_000)
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(home=options.home, landing=getattr(options, "landing", None))
        return options.command(settings, options)
    except (SettingsError, UsageError) as error:
        return _complain(error, 2)
    except KeyboardInterrupt:
        return _complain("stopped; nothing was published, run again when you like", 130)
    except Exception as error:
        return _machine(error) or _unexpected(error, settings)


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="account360",
        description="A batch data warehouse for customer success.",
        epilog=_EPILOG,
        formatter_class=formatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

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
    run.set_defaults(command=_run)

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
    demo.set_defaults(command=_demo)

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
    status.set_defaults(command=_status)

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
    diff.set_defaults(command=_diff)

    _add_publishes(commands)
    _add_assign(commands)
    _add_erase(commands)

    services = commands.add_parser(
        "dagster-home",
        help="write dagster.yaml by the settings and print its folder, for services of your own",
    )
    _add_home(services)
    services.set_defaults(command=_dagster_home)

    ui = commands.add_parser("ui", help="Dagster's pages, on this machine only")
    _add_folders(ui)
    ui.add_argument("--port", type=int, default=3000, help="default 3000")
    ui.set_defaults(command=_ui)
    return parser


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
    backfill.set_defaults(command=_backfill)


def _add_publishes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    names = (
        "A publish is given by its id or the beginning of one, as current or previous (the one "
        "before it), or as_of=DATE."
    )
    publishes = commands.add_parser("publishes", help="the publishes that are kept")
    publishes.add_argument("--json", action="store_true", help="as JSON")
    _add_home(publishes)
    publishes.set_defaults(command=_publishes)

    rollback = commands.add_parser(
        "rollback",
        help="lead readers back to a kept publish, at once",
        description="Lead readers to a kept publish, at once, also while a night runs. Who did it, "
        f"when and why is kept. The next night publishes as usual. {names}",
    )
    rollback.add_argument("publish", metavar="PUBLISH")
    rollback.add_argument("--reason", metavar="TEXT", help="kept with it, and published")
    _add_home(rollback)
    rollback.set_defaults(command=_rollback)

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
    verify.set_defaults(command=_verify)


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
    explain.set_defaults(command=_explain)


def _add_assign(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    assign = commands.add_parser(
        "assign",
        help="CSMs and their accounts: list, preview and apply rules, add, remove",
        description="See and change which CSMs look after which accounts.",
        epilog=_ASSIGN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = assign.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="CSMs and accounts, as published")
    either = listing.add_mutually_exclusive_group()
    either.add_argument("--csm", metavar="E-MAIL", help="only the accounts of this CSM")
    either.add_argument("--unassigned", action="store_true", help="only accounts without a CSM")
    _add_folders(listing)
    listing.set_defaults(command=_assign, action=_assign_list)
    for name, text in (
        ("preview", "list what a rule would change; writes nothing"),
        ("apply", "land the records of what a rule changes"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        action.add_argument("rule", metavar="RULE", nargs="?", help="name of the rule")
        action.set_defaults(command=_assign, action=_assign_by_rule, is_applied=name == "apply")
        _add_day(action)
    for name, text in (
        ("add", "assign a CSM to an account"),
        ("remove", "unassign a CSM from an account"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        action.add_argument("account", metavar="ACCOUNT", help="account_id")
        action.add_argument("csm", metavar="CSM", help="e-mail of the CSM")
        action.set_defaults(command=_assign, action=_assign_one, what=name)
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
    erase.set_defaults(command=_erase)


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


def _run(settings: Settings, options: argparse.Namespace) -> int:
    as_of = _as_of(settings, options.as_of)
    from orchestration.acceptance import AcceptanceError, paired, refuse_wrong

    try:
        accepted = paired(options.accept, options.reason)
        refuse_wrong(settings, accepted)
    except AcceptanceError as error:
        raise UsageError(error) from error
    _prepare(settings)
    from orchestration.alerts import tell_failed, tell_not_begun
    from orchestration.night import NightError, run_night
    from orchestration.publishing import Lead
    from orchestration.report import render
    from orchestration.run_lock import patience

    try:
        report = run_night(
            settings,
            as_of,
            full_refresh=options.full_refresh,
            lead=Lead.CURRENT if options.make_current else Lead.BY_DATE,
            accepted=accepted,
            tell=sys.stderr,
            wait_minutes=patience(settings) if options.wait == -1 else options.wait,
        )
    except NightError as error:
        _complain_all(tell_not_begun(settings, as_of, str(error)))
        return _complain(error, 1)
    print(render(report))
    if not report.is_published:
        _complain_all(tell_failed(settings, report))
    return 0 if report.is_published else 1


def _prepare(settings: Settings) -> None:
    """Have a home folder to run in; `UsageError` where there is nothing to land.

    What a run may not write it should learn now, and not when it is about to publish.
    """
    if not settings.landing.is_dir():
        raise UsageError(
            f"landing folder {settings.landing} does not exist: put files there, name another with "
            "--landing, or write those of a demo company with `account360 demo`"
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    for folder in (
        settings.home,
        settings.published_path,
        settings.dagster_path,
        settings.dbt_target_path,
        settings.dlt_path,
        settings.logs_path,
    ):
        if folder.exists() and not os.access(folder, os.W_OK):
            is_disk = os.statvfs(folder).f_flag & os.ST_RDONLY
            number = errno.EROFS if is_disk else errno.EACCES
            raise OSError(number, os.strerror(number), str(folder))


def _backfill(settings: Settings, options: argparse.Namespace) -> int:
    first, last = (
        _as_of(settings, asked, name)
        for asked, name in ((options.first, "FROM"), (options.last, "TO"))
    )
    if last < first:
        raise UsageError(f"FROM {first} is after TO {last}: name the earlier date first")
    _prepare(settings)
    from orchestration.backfill import backfill

    try:
        outcomes = backfill(
            settings,
            first,
            last,
            keep_going=options.keep_going,
            full_refresh=options.full_refresh,
            tell=sys.stderr,
            done=lambda outcome: print(outcome, flush=True),
        )
    except KeyboardInterrupt:
        return _complain("stopped; the dates listed above are published, no other one is", 130)
    published = sum(outcome.database is not None for outcome in outcomes)
    dates = (last - first).days + 1
    print(f"Backfilled {published} of {dates} dates; published/current was left as it is.")
    return 0 if published == dates else 1


def _as_of(settings: Settings, asked: date | None, name: str = "--as-of") -> date:
    """The as-of date asked for, or today; `UsageError` where it cannot be one."""
    from orchestration.calendar import FIRST_AS_OF, today

    now = today(settings)
    if asked is not None and not FIRST_AS_OF <= asked <= now:
        raise UsageError(
            f"{name} {asked} cannot be: allowed is {FIRST_AS_OF} to {now}, today in "
            f"{settings.reporting_time_zone}"
        )
    return asked or now


def _demo(settings: Settings, options: argparse.Namespace) -> int:
    if settings.landing.is_dir() and any(settings.landing.iterdir()) and not options.force:
        raise UsageError(
            f"landing folder {settings.landing} has files already: name another with --landing, "
            "or write among them with --force"
        )
    from orchestration.report import shown
    from sample_data import DEFAULT_AS_OF, DEFAULT_SEED, write_demo

    summary = write_demo(
        settings.landing,
        seed=DEFAULT_SEED if options.seed is None else options.seed,
        scale=options.scale,
        as_of=options.as_of or DEFAULT_AS_OF,
        nights=options.nights,
    )
    print(
        f"Wrote {len(summary.files):,} files with {sum(summary.records.values()):,} records to "
        f"{shown(summary.landing)}.\n"
        f"Next: account360 run --as-of {summary.as_of}"
    )
    return 0


def _status(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.status import check, status

    if options.alert and not options.check:
        raise UsageError("--alert tells what --check finds: give both")
    print(status(settings))
    if not options.check:
        return 0
    found, complaints = check(settings, is_alerting=options.alert)
    _complain_all(complaints)
    print("\n".join(["", *(found or ["Nothing is stale, and the last night published."])]))
    return 1 if found else 0


def _explain(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.explain import ExplainError, Question, open_publish
    from orchestration.explain_report import catalog_text, json_text, text

    named = {
        "account_id": options.account,
        "user_id": options.user,
        "csm_email": options.csm,
        "month": options.month,
        "day": options.day,
    }
    keys = {key: value for key, value in named.items() if value is not None}
    try:
        with open_publish(settings) as publish:
            if options.metric is None:
                metrics = publish.metrics()
                print(json_text(metrics) if options.json else catalog_text(metrics))
            else:
                answer = publish.explain(Question(options.metric, {**keys, **dict(options.key)}))
                print(json_text(answer) if options.json else text(answer))
    except ExplainError as error:
        raise UsageError(error) from error
    return 0


def _diff(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.difference import UnknownPublishError, compare, find_publish, render

    try:
        before, after = (find_publish(settings, name) for name in (options.before, options.after))
    except UnknownPublishError as error:
        raise UsageError(error) from error
    difference = compare(settings, before, after, max(options.limit, 0))
    print(difference.as_json() if options.json else render(difference))
    return 0


def _publishes(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.publishes import publishes_json, publishes_text

    print(publishes_json(settings) if options.json else publishes_text(settings))
    return 0


def _rollback(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.difference import UnknownPublishError
    from orchestration.publishes import RollbackError, rollback

    try:
        noted = rollback(settings, options.publish, options.reason)
    except (UnknownPublishError, RollbackError) as error:
        raise UsageError(error) from error
    print(
        f"Readers see {noted.to_publish} now; before it was {noted.from_publish or 'nothing'}.\n"
        "The next night publishes as usual, and readers see that one then."
    )
    return 0


def _verify(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.difference import UnknownPublishError, find_publish
    from orchestration.publishes import verify
    from orchestration.publishing import kept_publishes

    try:
        folders = (
            kept_publishes(settings) if options.all else [find_publish(settings, options.publish)]
        )
    except UnknownPublishError as error:
        raise UsageError(error) from error
    has_differences = False
    for folder in folders:
        verdict = verify(settings, folder, warehouse=not options.no_warehouse)
        print(verdict.text(), flush=True)
        has_differences |= bool(verdict.differences)
    return 1 if has_differences else 0


def _assign(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.assignment import AssignmentError, open_book

    try:
        with open_book(settings) as book:
            said = options.action(settings, options, book)
    except AssignmentError as error:
        raise UsageError(error) from error
    print(said)
    return 0


def _assign_list(settings: Settings, options: argparse.Namespace, book: Book) -> str:
    from orchestration.assignment_report import list_text

    accounts, csms = book.accounts(), list(book.csms.values())
    if options.csm:
        email = book.known_csm(options.csm)
        csms = [book.csms[email]]
        accounts = [account for account in accounts if email in account.csms]
    if options.unassigned:
        accounts = [account for account in accounts if not account.csms]
    return list_text(book, csms, accounts)


def _assign_by_rule(settings: Settings, options: argparse.Namespace, book: Book) -> str:
    from orchestration.assignment import find_rule
    from orchestration.assignment_report import landed_text, rule_text

    rule = find_rule(settings, options.rule)
    plan = book.rule_plan(rule, options.date)
    said = rule_text(rule, plan)
    if options.is_applied and (landed := book.land(plan)):
        said += f"\n{landed_text(landed, plan)}"
    return said


def _assign_one(settings: Settings, options: argparse.Namespace, book: Book) -> str:
    from orchestration.assignment_report import landed_text, single_text

    plan = book.single_plan(options.what, options.account, options.csm, options.date)
    said = single_text(plan, options.account, options.csm)
    if landed := book.land(plan):
        said += f"\n{landed_text(landed, plan)}"
    return said


def _erase(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.erasure import (
        ErasureError,
        Subject,
        erase,
        finish_pending,
        make_plan,
        preview,
    )
    from orchestration.erasure_report import left_text, plan_text
    from orchestration.run_lock import NightError, only_run, refuse_locked

    def tell(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    subject = _subject(options)
    try:
        if not settings.home.is_dir():
            raise ErasureError(f"there is no home folder {settings.home}")
        waiting = settings.wait_minutes or 0
        with only_run(settings, "account360 erase", wait_minutes=waiting, tell=tell):
            refuse_locked(settings.warehouse_path, tell)
            if options.resume:
                left = finish_pending(settings, tell)
                print(left_text(left))
                return 1 if left else 0
            plan = make_plan(settings, Subject(*subject))
            print(plan_text(plan, preview(settings, plan)), flush=True)
            if options.dry_run:
                return 0
            if not options.yes:
                _confirm(subject)
            left = erase(settings, plan, tell)
    except NightError as error:
        return _complain(error, 1)
    except ErasureError as error:
        raise UsageError(error) from error
    print(left_text(left))
    return 1 if left else 0


def _subject(options: argparse.Namespace) -> tuple[str, str | None, str | None]:
    """Account, user and contact that are asked for; `UsageError` where they do not go together."""
    user, contact = options.user or (None, None), options.contact or (None, None)
    named = {name for name in (options.account, user[0], contact[0]) if name is not None}
    if options.resume:
        if named:
            raise UsageError("--resume finishes the erasure that was cut short: name nobody else")
        return "", None, None
    if len(named) != 1 or (options.account and (options.user or options.contact)):
        raise UsageError(
            "name whom to erase: --account A, or --user A U, --contact A C or both of one account"
        )
    return named.pop(), user[1], contact[1]


def _confirm(subject: tuple[str, str | None, str | None]) -> None:
    """Have the person type the id that goes; `UsageError` where they do not."""
    wanted = subject[1] or subject[2] or subject[0]
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here whether it is meant: say so with --yes")
    if input(f"This cannot be undone. Type {wanted} to go on: ").strip() != wanted:
        raise UsageError("that is not what was asked for: nothing was erased")


def _dagster_home(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.instance import refuse_unready_storage, write_instance_file

    refuse_unready_storage(settings)
    print(write_instance_file(settings))
    return 0


def _ui(settings: Settings, options: argparse.Namespace) -> int:
    from orchestration.instance import refuse_unready_storage, write_instance_file

    refuse_unready_storage(settings)
    environment = {
        **os.environ,
        "ACCOUNT360_HOME": str(settings.home),
        "ACCOUNT360_LANDING": str(settings.landing),
        "DAGSTER_HOME": str(write_instance_file(settings)),
    }
    command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions"]
    print(f"Dagster starts at http://127.0.0.1:{options.port} (stop it with Ctrl-C)", flush=True)
    os.chdir(PROJECT_ROOT)
    os.execve(  # noqa: S606 - our own interpreter
        sys.executable, [*command, "-h", "127.0.0.1", "-p", str(options.port)], environment
    )


def _complain(what: object, code: int) -> int:
    print(f"account360: {what}", file=sys.stderr)
    return code


def _complain_all(complaints: Sequence[str]) -> None:
    for complaint in complaints:
        print(f"account360: {complaint}", file=sys.stderr)


def _machine(error: Exception) -> int | None:
    """Say what the machine does not give: room, or permission; None where it is something else."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _complain(f"{error.filename} may not be written: {error.strerror}", 2)
    if number in (errno.ENOSPC, errno.EDQUOT) or "database or disk is full" in str(error):
        return _complain(f"the disk is full: make room, and run again ({error})", 1)
    return None


def _unexpected(error: Exception, settings: Settings) -> int:
    """Keep the traceback of something nobody foresaw in a log; one line for the person."""
    import traceback

    log = settings.logs_path / "unexpected.log"
    said = f"unexpected: {type(error).__name__}: {error}"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError as second:
        return _complain(f"{said}; its traceback could not be kept: {second}", 1)
    return _complain(f"{said}; traceback in {log}", 1)


if __name__ == "__main__":
    sys.exit(main())
