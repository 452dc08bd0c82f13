"""docs/auditing.md says what `account360 explain` says, of figures of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.auditing_page import PAGE, examples, said

EXAMPLES = examples(PAGE.read_text("utf-8"))


def test_there_are_ten_examples_of_different_kinds() -> None:
    assert len({command.split()[1] for command in EXAMPLES}) == 10


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_is_what_it_says(demo_home: Path, command: str) -> None:
    assert said(command, demo_home) == EXAMPLES[command], "python -m tests.auditing_page HOME"
