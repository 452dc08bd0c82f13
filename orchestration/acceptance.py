"""Acceptances: a person takes it on themselves that a release check fails, for one run.

Only checks of drift can be accepted (`drift.…`, from the release file): they say that a publish is
unusual, and whether that is right a person can know. Every other check says that it is wrong.
An acceptance is a tag of the run, so that Dagster's launchpad can give it as well:

    account360/accept       {"drift.account_360.rows": "the accounts of ACME moved to ..."}
    account360/accepted_by  who says so; without it the user of the system that runs Dagster
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestration.manifest import is_parsed, load_manifest
from settings import Settings
from settings.files import near

ACCEPT_TAG = "account360/accept"
ACCEPTED_BY_TAG = "account360/accepted_by"

_INTEGRITY = {
    "release_complete": "it says whether the publish is whole, of its date and within the bounds "
    "of its figures, and nobody can know that a publish is right that is not: mend what it names",
    "files_readable": "a file that cannot be read is not in the figures: mend it or take it away",
    "arrived_whole": "it says whether what landed can be built upon: land it again, or change the "
    "setting that it names",
}
_NEVER_BLOCKS = ("arrived_as_usual", "release_as_usual")


class AcceptanceError(ValueError):
    """What was asked to be accepted cannot be; the message says why and what to do instead."""


def user_name() -> str:
    """The user that the process runs as, by the system's word: variables may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


@dataclass(frozen=True)
class Acceptance:
    """Who takes on themselves that a check fails, why, and the UTC instant at which they did."""

    check: str
    reason: str
    by: str
    at: datetime


def paired(checks: Sequence[str], reasons: Sequence[str]) -> dict[str, str]:
    """Check → reason, as given on the command line: one reason for all, or one for each."""
    if not checks and not reasons:
        return {}
    if not checks:
        raise AcceptanceError("--reason says why a check is accepted: name the check with --accept")
    if not reasons:
        raise AcceptanceError('--accept needs a reason: --reason "why this is right"')
    if len(reasons) not in (1, len(checks)):
        raise AcceptanceError(
            f"{len(checks)} checks are accepted and {len(reasons)} reasons given: give one reason "
            "for all of them, or one for each in their order"
        )
    if len(set(checks)) < len(checks):
        raise AcceptanceError("a check is accepted twice: name each once")
    return dict(zip(checks, reasons * (1 if len(reasons) > 1 else len(checks)), strict=True))


def refuse_wrong(settings: Settings, accepted: Mapping[str, str]) -> None:
    """Raise `AcceptanceError` where a check cannot be accepted, or a reason says nothing."""
    acceptable = [check.name for check in settings.release.drift]
    for check, reason in accepted.items():
        if check not in acceptable:
            raise AcceptanceError(_why_not(settings, check, acceptable))
        if not reason.strip():
            raise AcceptanceError(
                f'{check} is accepted without a reason: say why with --reason "..."'
            )


def _why_not(settings: Settings, check: str, acceptable: Sequence[str]) -> str:
    if check in _INTEGRITY:
        return f"{check} cannot be accepted: {_INTEGRITY[check]}, and run again"
    if check in _NEVER_BLOCKS:
        return f"{check} need not be accepted: it never stops a publish"
    if _is_dbt_test(settings, check):
        return (
            f"{check} cannot be accepted: it is a test of dbt, and figures built on rows that fail "
            "it are wrong: mend the records at their source, land them again, and run again"
        )
    listed = "".join(f"\n  {name}" for name in acceptable)
    return (
        f"there is no check {check!r} that could be accepted: {near(check, acceptable)}"
        f"those of {settings.release_file} can be:{listed}"
    )


def _is_dbt_test(settings: Settings, check: str) -> bool:
    if not is_parsed(settings):
        return False
    name = check.removeprefix("dbt ")
    return any(
        node["resource_type"] == "test" and node["name"] == name
        for node in load_manifest(settings)["nodes"].values()
    )


def as_tags(accepted: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run that accepts these checks."""
    return {ACCEPT_TAG: json.dumps(accepted), ACCEPTED_BY_TAG: user_name()} if accepted else {}


def from_tags(settings: Settings, tags: Mapping[str, str]) -> dict[str, Acceptance]:
    """The acceptances of a run by their checks. Raises `AcceptanceError` where a tag is wrong."""
    said = tags.get(ACCEPT_TAG)
    if not said:
        return {}
    try:
        accepted = json.loads(said)
    except json.JSONDecodeError:
        accepted = None
    if not isinstance(accepted, dict) or not all(isinstance(one, str) for one in accepted.values()):
        raise AcceptanceError(
            f"the tag {ACCEPT_TAG} is {said!r}: allowed is JSON of checks and reasons, such as "
            '{"drift.account_360.rows": "why this is right"}'
        )
    refuse_wrong(settings, accepted)
    by = tags.get(ACCEPTED_BY_TAG, "").strip() or user_name()
    now = datetime.now(UTC)
    return {check: Acceptance(check, reason.strip(), by, now) for check, reason in accepted.items()}


def way_out(as_of: str, previous: str, checks: Sequence[str]) -> list[str]:
    """What a person does about release checks that failed and can be accepted."""
    accepts = " ".join(f"--accept {check}" for check in checks)
    return [
        f"see what changed:            account360 diff {previous} candidate",
        "mend it at its source, or, if it is right, publish it this once:",
        f'  account360 run --as-of {as_of} {accepts} --reason "..."',
    ]
