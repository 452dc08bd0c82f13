"""Alerts: what is told, to whom, how often, and what happens where nobody answers."""

from __future__ import annotations

import base64
import json
import socket
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orchestration.alerts import (
    Alert,
    Patience,
    night_alert,
    send,
    stale_alert,
    tell_failed,
    tell_not_begun,
    tell_stale,
)
from orchestration.report import NightReport, Remark, load_last, save
from orchestration.staleness import Stale
from orchestration.status import check
from settings import ALERT_WEBHOOK_URL, SMTP_PASSWORD, Settings
from tests.orchestration.receivers import certificate, mailbox, webhook

ALERT = Alert("night_failed", "a title", ("a line", "another"), {"as_of": "2024-06-10"})
QUICK = Patience(timeout=0.4, waits=(0.0, 0.0), in_all=3.0)
SECRET = "s3cret-token"


@pytest.fixture(autouse=True)
def _nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ALERT_WEBHOOK_URL, SMTP_PASSWORD, "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def failed(settings: Settings) -> NightReport:
    """A night that failed with something of a person in what it says."""
    return NightReport(
        "2024-06-10",
        "run-1",
        "2024-06-10T03:00:00+00:00",
        str(settings.logs_path / "night.log"),
        failures=[
            Remark(
                "dbt not_null_accounts_email",
                "Got 1 result, configured to fail if != 0\nsecond line",
                ["email = ann@customer.example, name = Ann"],
            ),
            Remark("unexpected ValueError", "cannot convert 'Ann Smith' of ann@customer.example"),
            *(Remark(f"check {n}", "failed") for n in range(9)),
        ],
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_failed_night_says_what_failed_what_readers_see_and_what_to_do(
    settings: Settings, failed: NightReport
) -> None:
    publish = settings.published_path / "2024-06-09_20240609T030100Z_run00000"
    publish.mkdir(parents=True)
    settings.current_path.symlink_to(publish.name)
    alert = night_alert(settings, failed)
    assert alert.title == "account360: the night of 2024-06-10 did not publish"
    assert alert.lines == (
        "failed: dbt not_null_accounts_email: Got 1 result, configured to fail if != 0",
        "failed: unexpected ValueError: cannot convert … of …",
        "failed: check 0: failed",
        "failed: check 1: failed",
        "failed: check 2: failed",
        "failed: and 6 more",
        f"log: {failed.log}",
        "readers see: the publish as of 2024-06-09, of 2024-06-09 03:01 UTC",
        "next: read the log, mend what failed, and run the night again: "
        "account360 run --as-of 2024-06-10",
    )
    assert json.loads(alert.as_json())["run_id"] == "run-1"


def test_no_row_and_nobody_stands_in_an_alert(settings: Settings, failed: NightReport) -> None:
    said = night_alert(settings, failed).as_json().decode()
    assert "Ann" not in said
    assert "customer.example" not in said


def test_stale_data_says_what_is_stale(settings: Settings) -> None:
    alert = stale_alert(settings, ["stale: data of billing ends on 2024-06-01"])
    assert alert.lines[0] == "stale: data of billing ends on 2024-06-01"
    assert alert.lines[1] == "readers see: nothing, nothing is published yet"
    assert json.loads(alert.as_json())["kind"] == "stale"


def test_a_webhook_gets_one_post_of_json(settings: Settings) -> None:
    with webhook() as hook:
        problems, reached = send(settings, ALERT, environ={ALERT_WEBHOOK_URL: hook.url})
    assert (problems, reached) == ([], True)
    [body] = hook.bodies
    assert json.loads(body) == {
        "text": "a title\n\na line\nanother",
        "kind": "night_failed",
        "as_of": "2024-06-10",
    }
    assert hook.headers[0]["Content-Type"] == "application/json"


def test_a_mail_goes_to_everybody_with_the_password_of_the_environment(settings: Settings) -> None:
    with mailbox() as box:
        mailed = replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            smtp_starttls=False,
            smtp_user="account360",
            alert_emails=("ops@here.example", "data@here.example"),
            alert_from="warehouse@here.example",
        )
        assert send(mailed, ALERT, environ={SMTP_PASSWORD: SECRET}) == ([], True)
    [mail] = box.mails
    assert "Subject: a title" in mail
    assert "To: ops@here.example, data@here.example" in mail
    assert mail.endswith("a title\n\na line\nanother")
    [login] = [line for line in box.said if line.startswith("AUTH")]
    assert base64.b64decode(login.split()[-1]).split(b"\0")[1:] == [b"account360", SECRET.encode()]
    assert {line for line in box.said if line.upper().startswith("RCPT")} == {
        "rcpt TO:<ops@here.example>",
        "rcpt TO:<data@here.example>",
    }


def test_a_mail_server_without_encryption_is_not_told_anything(settings: Settings) -> None:
    with mailbox() as box:
        mailed = replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            smtp_user="account360",
            alert_emails=("ops@here.example",),
        )
        problems, reached = send(mailed, ALERT, environ={SMTP_PASSWORD: SECRET}, patience=QUICK)
    assert not reached
    assert problems == [
        "the alert did not go out by e-mail: the mail server cannot do what is asked of it "
        "(STARTTLS, or a login): see the settings smtp_starttls and smtp_user"
    ]
    assert not [line for line in box.said if line.startswith(("AUTH", "DATA"))]


@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_password_is_told_under_a_certificate_that_is_trusted_and_no_other(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    own = certificate(tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
    with mailbox(own) as box:
        mailed = replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            smtp_user="account360",
            alert_emails=("ops@here.example",),
        )
        problems, reached = send(mailed, ALERT, environ={SMTP_PASSWORD: SECRET})
    said = [line.partition(" ")[0].upper() for line in box.said]
    assert said[:2] == ["EHLO", "STARTTLS"]
    if is_trusted:
        assert (problems, reached) == ([], True)
        assert said[2:4] == ["EHLO", "AUTH"]
        [mail] = box.mails
        assert mail.endswith("a title\n\na line\nanother")
    else:
        assert problems == [
            "the alert did not go out by e-mail: no encrypted connection: the certificate or the "
            "protocol does not fit"
        ]
        assert not reached
        assert said[2:] == []


@pytest.mark.parametrize(
    ("answers", "is_reached", "posts", "said"),
    [
        ([500, 503], True, 3, ""),
        ([500, 500, 500], False, 3, "the receiver answered 500"),
        ([429], True, 2, ""),
        ([404], False, 1, "the receiver answered 404"),
        ([302], False, 1, "the receiver answered 302"),
    ],
)
def test_what_may_pass_is_tried_again_and_what_may_not_is_not(
    settings: Settings, answers: list[int], is_reached: bool, posts: int, said: str
) -> None:
    with webhook() as hook:
        hook.answers = answers
        environ = {ALERT_WEBHOOK_URL: hook.url}
        problems, reached = send(settings, ALERT, environ=environ, patience=QUICK)
    assert (reached, len(hook.bodies)) == (is_reached, posts)
    assert problems == ([f"the alert did not go out by webhook: {said}"] if said else [])


def test_a_mail_server_that_is_busy_is_asked_again(settings: Settings) -> None:
    with mailbox() as box:
        box.to_sender = ["451 busy", "250 go on"]
        mailed = replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            smtp_starttls=False,
            alert_emails=("ops@here.example",),
        )
        assert send(mailed, ALERT, environ={}, patience=QUICK) == ([], True)
        assert len(box.mails) == 1
        box.to_sender = ["550 never"]
        problems, _ = send(mailed, ALERT, environ={}, patience=QUICK)
    assert problems == ["the alert did not go out by e-mail: the mail server answered 550"]


def test_a_receiver_that_is_down_or_slow_costs_seconds_and_no_more(settings: Settings) -> None:
    url = f"http://127.0.0.1:{free_port()}/hooks/{SECRET}"
    problems, reached = send(settings, ALERT, environ={ALERT_WEBHOOK_URL: url}, patience=QUICK)
    assert (problems, reached) == (
        ["the alert did not go out by webhook: Connection refused"],
        False,
    )
    with webhook() as hook:
        hook.waits = 60.0
        environ = {ALERT_WEBHOOK_URL: hook.url}
        started = time.monotonic()
        problems, _ = send(settings, ALERT, environ=environ, patience=QUICK)
        assert problems == ["the alert did not go out by webhook: no answer in time"]
        endless = Patience(timeout=60.0, waits=(), in_all=0.3)
        problems, _ = send(settings, ALERT, environ=environ, patience=endless)
        assert problems == ["the alert did not go out by webhook: no answer within 0.3 s"]
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://127.0.0.1/{SECRET}",
        f"file:///etc/{SECRET}",
        f"http://127.0.0.1:{SECRET}/",
        f"http://127.0.0.1/{SECRET} \n",
        f"http://[{SECRET}/",
        f"http://{SECRET}.invalid/hook",
        SECRET,
    ],
)
def test_the_url_appears_in_nothing_that_is_said(
    settings: Settings, url: str, failed: NightReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems, reached = send(settings, ALERT, environ={ALERT_WEBHOOK_URL: url}, patience=QUICK)
    assert not reached
    assert len(problems) == 1
    assert SECRET not in problems[0]
    monkeypatch.setenv(ALERT_WEBHOOK_URL, url)
    assert SECRET not in repr(settings) + repr(night_alert(settings, failed))


def test_a_failed_night_is_told_once_and_one_that_nobody_heard_again(
    settings: Settings, failed: NightReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tell_failed(settings, failed) == []
    assert not settings.alerts_path.exists()
    with webhook() as hook:
        hook.answers = [404]
        monkeypatch.setenv(ALERT_WEBHOOK_URL, hook.url)
        assert tell_failed(settings, failed) == [
            "the alert did not go out by webhook: the receiver answered 404"
        ]
        for _ in range(3):
            assert tell_failed(settings, failed) == []
        assert len(hook.bodies) == 2
        tell_failed(settings, replace(failed, log="another.log"))
        assert len(hook.bodies) == 3
        for _ in range(2):
            tell_not_begun(settings, date(2024, 6, 11), "another run is under way")
        assert len(hook.bodies) == 4
        assert "another run is under way" in hook.bodies[-1].decode()
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET in path.read_text()]


def test_a_record_that_cannot_be_kept_fails_nothing(
    settings: Settings, failed: NightReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.home.mkdir()
    settings.alerts_path.write_text("a file where a folder should be")
    monkeypatch.setenv(ALERT_WEBHOOK_URL, f"http://127.0.0.1:{free_port()}/{SECRET}")
    assert tell_failed(settings, failed) == ["no alert was sent: File exists"]


def test_each_stale_state_is_told_once_and_again_after_it_was_well(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Stale("publish", "p1", "stale: the current publish is 40 hours old")
    older = old._replace(says="stale: the current publish is 41 hours old")
    billing = Stale("billing", "2024-06-01", "stale: data of billing")
    with webhook() as hook:
        monkeypatch.setenv(ALERT_WEBHOOK_URL, hook.url)
        for stale in ([], [old], [older], [older, billing], [older, billing], [], [old]):
            assert tell_stale(settings, stale) == []
        told = [json.loads(body)["stale"] for body in hook.bodies]
    assert told == [[old.says], [older.says, billing.says], [old.says]]


def test_status_check_tells_of_a_failed_night_once(
    settings: Settings, failed: NightReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(failed, settings)
    assert load_last(settings) == failed
    with webhook() as hook:
        monkeypatch.setenv(ALERT_WEBHOOK_URL, hook.url)
        found, complaints = check(settings)
        assert hook.bodies == []
        for _ in range(2):
            assert check(settings, is_alerting=True) == (found, complaints)
        kinds = [json.loads(body)["kind"] for body in hook.bodies]
    assert complaints == []
    assert found == [
        "failed: the last night, of 2024-06-10, did not publish: dbt not_null_accounts_email: "
        f"Got 1 result, configured to fail if != 0 (log {failed.log})",
        f"stale: nothing is published in {settings.home} yet",
    ]
    assert sorted(kinds) == ["night_failed", "stale"]
