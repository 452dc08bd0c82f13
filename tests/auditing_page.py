"""The examples of docs/auditing.md: what `account360 explain` says of the small demo company.

An example is a fenced block whose first line is a command behind `$`. A test compares all of them
with a night of the demo company; after a change that is meant,

    python -m tests.auditing_page HOME

writes them anew from a home folder in which that night was run.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

from orchestration import cli
from settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "auditing.md"

_EXAMPLE = re.compile(r"(?<=^```\n)\$ account360 (explain [^\n]*)\n(.*?)(?=^```$)", re.M | re.S)
# What differs between two runs of the same night.
_RUN = (
    (re.compile(r"(?<=_)\d{8}T\d{6}Z_\w{8}\b"), "<instant>_<run>"),
    (re.compile(r"(?<=^  published at  ).*$", re.M), "<instant>"),
    (re.compile(r"(?<=^  code version  ).*$", re.M), "<version>"),
    (re.compile(r"(?<=^  run id        ).*$", re.M), "<run>"),
)


def examples(page: str) -> dict[str, str]:
    """Command → what it said, of each example of a page."""
    return {match[1]: match[2] for match in _EXAMPLE.finditer(page)}


def said(command: str, home: Path) -> str:
    """What a command says of a home folder, without what differs from run to run."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = cli.main([*shlex.split(command), "--home", str(home)])
    text = out.getvalue() if code == 0 else f"exit code {code}\n"
    for pattern, mask in _RUN:
        text = pattern.sub(mask, text)
    return text


def rewritten(page: str, home: Path) -> str:
    """The page with its examples as the home folder has them."""
    return _EXAMPLE.sub(lambda match: f"$ account360 {match[1]}\n{said(match[1], home)}", page)


if __name__ == "__main__":
    home = Path(sys.argv[1])
    if not (home / "published" / "current").is_dir():
        sys.exit(f"nothing is published in {home}: the page was left as it is")
    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), home), "utf-8")
