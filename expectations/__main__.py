"""The examiner's process: one JSON request a line on standard input, one answer a line back."""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from dataclasses import asdict
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"


def main() -> None:
    """Answer requests until standard input closes."""
    # Whatever a library prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    # A quarter of what the import takes is looking for garbage that there is not.
    gc.disable()
    from expectations.arrival import arrival_suite
    from expectations.release import release_suite
    from expectations.validation import validate

    suites = {"arrival": arrival_suite, "release": release_suite}
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any]
        try:
            findings = validate(suites[request["suite"]](), request["frames"])
            answer = {"findings": [asdict(finding) for finding in findings]}
        except Exception as error:  # the other side decides what a failed suite means
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
