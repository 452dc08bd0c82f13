"""docs/runbook.md and the program say the same: no message that is not, none that is not told."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import PROJECT_ROOT

RUNBOOK = PROJECT_ROOT / "docs" / "runbook.md"
ROOMS = ("expectations", "ingestion", "orchestration", "settings")

# What varies in a message, in the runbook as in the texts below.
VARIES = "…"

# Calls whose text a person meets when a night, or what keeps nights going, fails, with the place of
# what happened among their arguments; the way out follows it. Wrong options are left out: the
# command line says what is allowed.
TOLD_BY = {
    "DbtProjectError": 0,
    "ExaminerError": 0,
    "NightError": 0,
    "Problem": 3,
    "PublishError": 0,
    "RunLockedError": 0,
    "UnreadableFileError": 0,
    "WarehouseVersionError": 0,
    "problem": 0,
}
# Of a message at least so many letters must not vary, or it could be any.
_LEAST = 12


def text_of(node: ast.expr) -> str | None:
    """The text of an expression, with a sign for what varies; None where it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else VARIES for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [text_of(node.left), text_of(node.right)]
        return None if sides == [None, None] else "".join(side or VARIES for side in sides)
    return None


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for file in sorted((PROJECT_ROOT / room).rglob("*.py")):
            yield file, ast.parse(file.read_text(encoding="utf-8"))


@functools.cache
def texts_of_code() -> list[str]:
    return [
        text
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and (text := text_of(node))
    ]


def told_messages() -> dict[str, str]:
    """Where the calls of `TOLD_BY` stand → what they say, where it is written there."""
    found = {}
    for file, tree in sources():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            place = TOLD_BY.get(getattr(call.func, "id", getattr(call.func, "attr", "")))
            if place is None or len(call.args) <= place:
                continue
            text = text_of(call.args[place])
            if text and constant(text):
                found[f"{file.relative_to(PROJECT_ROOT)}:{call.lineno}"] = text
    return found


def constant(text: str) -> bool:
    """Whether enough of a message never varies."""
    return len(text.replace(VARIES, "").replace(" ", "")) >= _LEAST


def messages_of_runbook() -> list[str]:
    """The lines of its blocks marked `message`; those further in go on with the line before."""
    blocks = re.findall(r"^```message\n(.*?)^```$", RUNBOOK.read_text("utf-8"), re.M | re.S)
    return [
        " ".join(line.split()) for block in blocks for line in re.split(r"\n(?! )", block.rstrip())
    ]


def says(text: str, message: str) -> bool:
    """Whether the parts of a message that do not vary stand in a text, in their order."""
    parts = [re.escape(part.strip()) for part in message.split(VARIES) if part.strip()]
    return re.search(".*".join(parts), " ".join(text.split()), re.S) is not None


@pytest.mark.parametrize("message", messages_of_runbook())
def test_every_message_of_the_runbook_is_one_of_the_program(message):
    assert constant(message), f"nothing to look for in {message!r}"
    assert any(says(text, message) for text in texts_of_code()), f"nothing says {message!r}"


def test_every_message_of_a_night_that_fails_stands_in_the_runbook():
    told = messages_of_runbook()
    missing = {
        where: text
        for where, text in told_messages().items()
        if not any(says(text, message) for message in told)
    }
    assert not missing
