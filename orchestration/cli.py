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
from typing import TYPE_CHECKING

from orchestration.arguments import parser
from settings import PROJECT_ROOT, Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from orchestration.assignment import Book


class UsageError(ValueError):
    """The command line asks for something that cannot be; the message says what can."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. Expected failures are messages, never tracebacks."""
    # A night holds a manifest of a million objects, which are not worth being looked through often.
    gc.set_threshold(100_000, 10, 1_000)
    options = parser().parse_args(arguments)
    try:
        settings = load_settings(home=options.home, landing=getattr(options, "landing", None))
        return _COMMANDS[options.command](settings, options)
    except (SettingsError, UsageError) as error:
        return _complain(error, 2)
    except KeyboardInterrupt:
        return _complain("stopped; nothing was published, run again when you like", 130)
    except Exception as error:
        return _machine(error) or _unexpected(error, settings)


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
    from orchestration.night import run_night
    from orchestration.publishing import Lead
    from orchestration.report import render
    from orchestration.run_lock import NightError, patience

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
    from orchestration.explain import (
        ExplainError,
        Question,
        catalog_text,
        json_text,
        open_publish,
        text,
    )

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
            said = _ACTIONS[options.action](settings, options, book)
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
    if options.action == "apply" and (landed := book.land(plan)):
        said += f"\n{landed_text(landed, plan)}"
    return said


def _assign_one(settings: Settings, options: argparse.Namespace, book: Book) -> str:
    from orchestration.assignment_report import landed_text, single_text

    plan = book.single_plan(options.action, options.account, options.csm, options.date)
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


_COMMANDS = {
    "run": _run,
    "backfill": _backfill,
    "demo": _demo,
    "status": _status,
    "explain": _explain,
    "diff": _diff,
    "publishes": _publishes,
    "rollback": _rollback,
    "verify": _verify,
    "assign": _assign,
    "erase": _erase,
    "dagster-home": _dagster_home,
    "ui": _ui,
}
_ACTIONS = {
    "list": _assign_list,
    "preview": _assign_by_rule,
    "apply": _assign_by_rule,
    "add": _assign_one,
    "remove": _assign_one,
}


if __name__ == "__main__":
    sys.exit(main())
