"""Tells people that a night failed or that data is stale: by a webhook, by e-mail, or by both.

An alert says what happened, what readers see now and what to do next; it holds no rows and no
values of records. Sending never raises and is over within seconds: who does not answer is asked a
few times, and then only the log says so. The webhook's URL and the mail server's password come from
the environment when they are needed and appear nowhere: not in what fails, not in a `repr`.

What was told is kept in `<home>/alerts/told.json`, so that the command line and Dagster's sensors
tell each failed run and each stale state once between them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import smtplib
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ingestion.whole_files import write_whole
from orchestration.publishing import current_publish, publish_as_of, published_at
from orchestration.report import NightReport, Remark
from orchestration.staleness import Stale
from settings import ALERT_WEBHOOK_URL, SMTP_PASSWORD, Settings

_SHOWN_FAILURES = 5
_LONGEST = 200
# Failed runs of which it is kept that they were told.
_KEPT_RUNS = 100

# Anything in quotes may be a value of a record, and an address is a person.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")

# What a subject and a webhook's `kind` say.
NIGHT_FAILED = "night_failed"
STALE = "stale"


@dataclass(frozen=True)
class Alert:
    """What is told: a kind, a title of one line, lines of text, and the same as fields."""

    kind: str
    title: str
    lines: tuple[str, ...]
    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The whole alert, as a person reads it."""
        return "\n".join([self.title, "", *self.lines])

    def as_json(self) -> bytes:
        """The body of the one POST. `text` is what chat programs show of it."""
        return json.dumps({"text": self.text, "kind": self.kind, **self.fields}).encode()


class Patience(NamedTuple):
    """How long a receiver is waited for: seconds of one try, waits between tries, all in all."""

    timeout: float = 5.0
    waits: tuple[float, ...] = (1.0, 3.0)
    in_all: float = 20.0


PATIENCE = Patience()


class _NotSent(Exception):  # noqa: N818 - it is what is told, not what is raised further
    """Why one try did not reach a receiver, in words without secrets; whether to try again."""

    def __init__(self, why: str, may_pass: bool) -> None:
        super().__init__(why)
        self.why = why
        self.may_pass = may_pass


def night_alert(settings: Settings, report: NightReport) -> Alert:
    """The alert of a night that did not publish."""
    failed = [_remark(remark) for remark in report.failures[:_SHOWN_FAILURES]]
    if more := len(report.failures) - len(failed):
        failed.append(f"and {more} more")
    sees = what_readers_see(settings)
    next_step = (
        "read the log, mend what failed, and run the night again: "
        f"account360 run --as-of {report.as_of}"
    )
    return Alert(
        NIGHT_FAILED,
        f"account360: the night of {report.as_of} did not publish",
        (
            *(f"failed: {one}" for one in failed or ["it is not known what"]),
            f"log: {report.log}",
            f"readers see: {sees}",
            f"next: {next_step}",
        ),
        {
            "as_of": report.as_of,
            "run_id": report.run_id,
            "started_at": report.started_at,
            "failures": failed,
            "log": report.log,
            "readers_see": sees,
            "next_step": next_step,
        },
    )


def stale_alert(settings: Settings, stale: Sequence[str]) -> Alert:
    """The alert of data that is older than it may be; `stale` says what, a line each."""
    sees = what_readers_see(settings)
    next_step = (
        "see what landed and how the last night ended with `account360 status`, then run "
        "`account360 run`"
    )
    return Alert(
        STALE,
        "account360: what readers see is stale",
        (*stale, f"readers see: {sees}", f"next: {next_step}"),
        {"stale": list(stale), "readers_see": sees, "next_step": next_step},
    )


def tell_failed(settings: Settings, report: NightReport) -> list[str]:
    """Tell once that a night failed; what went wrong with the telling, a line each.

    A run is known by its log, which stands in the record of a night from its beginning.
    """
    if not is_configured(settings):
        return []
    return tell_once(settings, f"run:{report.log}", "failed", lambda: night_alert(settings, report))


def tell_not_begun(settings: Settings, as_of: date, why: str) -> list[str]:
    """Tell once that a night could not begin, and `why`; what went wrong with the telling."""
    if not is_configured(settings):
        return []
    report = NightReport(str(as_of), "", "", "none was begun", failures=[Remark("night", why)])
    return tell_once(
        settings, f"run:not begun, as of {as_of}", "failed", lambda: night_alert(settings, report)
    )


def tell_stale(settings: Settings, stale: Sequence[Stale]) -> list[str]:
    """Tell once that something is stale, and again when something else is; what went wrong with it.

    What is fresh again is forgotten, so that it is told when it is stale the next time.
    """
    if not is_configured(settings):
        return []
    if not stale:
        all_is_well(settings, STALE)
        return []
    state = "; ".join(f"{one.about} {one.state}" for one in stale)
    return tell_once(
        settings, STALE, state, lambda: stale_alert(settings, [one.says for one in stale])
    )


def what_readers_see(settings: Settings) -> str:
    """The current publish in words, from the name of its folder."""
    current = current_publish(settings)
    if current is None:
        return "nothing, nothing is published yet"
    return (
        f"the publish as of {publish_as_of(current)}, of {published_at(current):%Y-%m-%d %H:%M} UTC"
    )


def _remark(remark: Remark) -> str:
    """What failed in one line, without its details and without anything that may be a value."""
    lines = remark.what.strip().splitlines() or [""]
    what = _ADDRESS.sub("…", _QUOTED.sub("…", lines[0]))
    return f"{remark.where}: {what}"[:_LONGEST]


def is_configured(settings: Settings, environ: Mapping[str, str] | None = None) -> bool:
    """Whether there is anybody to tell."""
    return bool(_channels(settings, os.environ if environ is None else environ))


def tell_once(
    settings: Settings,
    about: str,
    state: str,
    make: Callable[[], Alert],
    *,
    environ: Mapping[str, str] | None = None,
    patience: Patience = PATIENCE,
) -> list[str]:
    """Send the alert of `make` unless `state` was the last thing told `about` something.

    Returns what went wrong, a line for each receiver that was not reached. What reached nobody
    counts as not told, and is told when it is asked for again. Never raises.
    """
    try:
        with _told(settings) as told:
            if told.get(about) == state:
                return []
            alert = make()
            problems, reached = send(settings, alert, environ=environ, patience=patience)
            if reached:
                told[about] = state
                for name in [name for name in told if name.startswith("run:")][:-_KEPT_RUNS]:
                    del told[name]
            return problems
    except Exception as error:  # a night must not fail because nobody could be told
        return [f"no alert was sent: {_words(error)}"]


def all_is_well(settings: Settings, about: str) -> None:
    """Forget what was told about something that is well again, so that it is told the next time."""
    with contextlib.suppress(OSError), _told(settings) as told:
        told.pop(about, None)


@contextlib.contextmanager
def _told(settings: Settings) -> Iterator[dict[str, str]]:
    """What was told last, by what it was about; changes are kept. One process at a time."""
    folder = settings.alerts_path
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "told.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "told.json"
        try:
            told = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            told = {}
        before = dict(told)
        yield told
        if told != before:
            write_whole(path, json.dumps(told, indent=2) + "\n")


def send(
    settings: Settings,
    alert: Alert,
    *,
    environ: Mapping[str, str] | None = None,
    patience: Patience = PATIENCE,
) -> tuple[list[str], bool]:
    """Send an alert to everybody who is set; what went wrong, and whether anybody was reached.

    Each receiver is tried in a thread of its own that is left behind when its time is over.
    """
    channels = _channels(settings, os.environ if environ is None else environ)
    outcomes: dict[str, str | None] = {}
    threads = []
    for name, try_once in channels.items():
        thread = threading.Thread(
            target=lambda name=name, try_once=try_once: outcomes.update(
                {name: _persist(try_once, alert, patience)}
            ),
            daemon=True,
        )
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + patience.in_all
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    late = f"no answer within {patience.in_all:g} s"
    ended = {name: outcomes.get(name, late) for name in channels}
    problems = [f"the alert did not go out by {name}: {why}" for name, why in ended.items() if why]
    return problems, any(why is None for why in ended.values())


def _persist(
    try_once: Callable[[Alert, float], None], alert: Alert, patience: Patience
) -> str | None:
    """Try until it is sent, cannot be, or was tried often enough; why it was not sent."""
    for wait in (*patience.waits, None):
        try:
            try_once(alert, patience.timeout)
            return None
        except _NotSent as error:
            if wait is None or not error.may_pass:
                return error.why
        except Exception as error:
            return _words(error)
        time.sleep(wait)
    return None


def _channels(
    settings: Settings, environ: Mapping[str, str]
) -> dict[str, Callable[[Alert, float], None]]:
    """How each receiver that is set is reached."""
    channels: dict[str, Callable[[Alert, float], None]] = {}
    if url := environ.get(ALERT_WEBHOOK_URL, "").strip():
        channels["webhook"] = lambda alert, timeout: _post(url, alert, timeout)
    if settings.smtp_host and settings.alert_emails:
        password = environ.get(SMTP_PASSWORD, "")
        channels["e-mail"] = lambda alert, timeout: _mail(settings, password, alert, timeout)
    return channels


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that leads elsewhere is a wrong URL: the alert goes where it was meant to go."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(url: str, alert: Alert, timeout: float) -> None:
    try:
        is_web = urlsplit(url).scheme in ("http", "https")
    except ValueError:
        is_web = False
    if not is_web:
        raise _NotSent(f"{ALERT_WEBHOOK_URL} is no http or https URL", may_pass=False)
    try:
        request = urllib.request.Request(  # noqa: S310 - http or https, see above
            url,
            data=alert.as_json(),
            headers={"Content-Type": "application/json", "User-Agent": "account360"},
        )
        with urllib.request.build_opener(_NoRedirect()).open(request, timeout=timeout):
            return
    except urllib.error.HTTPError as error:
        error.close()
        may_pass = error.code >= 500 or error.code in (408, 429)
        raise _NotSent(f"the receiver answered {error.code}", may_pass) from None
    except urllib.error.URLError as error:
        reason = error.reason
        why = _words(reason) if isinstance(reason, Exception) else "the receiver is not reached"
        raise _NotSent(why, may_pass=not isinstance(reason, ssl.SSLError)) from None
    except OSError as error:
        raise _NotSent(_words(error), may_pass=True) from None
    except (HTTPException, ValueError) as error:
        raise _NotSent(_words(error), may_pass=False) from None


def _mail(settings: Settings, password: str, alert: Alert, timeout: float) -> None:
    message = EmailMessage()
    message["Subject"] = alert.title
    message["From"] = settings.alert_from or f"account360@{socket.gethostname()}"
    message["To"] = ", ".join(settings.alert_emails)
    message.set_content(alert.text + "\n")
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=timeout) as server:
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, password)
            server.send_message(message)
    except smtplib.SMTPNotSupportedError:
        raise _NotSent(
            "the mail server cannot do what is asked of it (STARTTLS, or a login): see the "
            "settings smtp_starttls and smtp_user",
            may_pass=False,
        ) from None
    except smtplib.SMTPRecipientsRefused:
        raise _NotSent("the mail server refused every recipient", may_pass=False) from None
    except smtplib.SMTPResponseException as error:
        # From 500 on an answer of a mail server is for good.
        raise _NotSent(
            f"the mail server answered {error.smtp_code}", may_pass=error.smtp_code < 500
        ) from None
    except ssl.SSLError as error:
        raise _NotSent(_words(error), may_pass=False) from None
    except (OSError, smtplib.SMTPException) as error:
        raise _NotSent(_words(error), may_pass=True) from None


def _words(error: BaseException) -> str:
    """An error in words that hold no address: what the system calls it, or its kind."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "no encrypted connection: the certificate or the protocol does not fit"
    if isinstance(error, socket.gaierror):
        return "its host is not known"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
