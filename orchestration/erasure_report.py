"""What `account360 erase` tells: what would go, and what is still found afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from orchestration.erasure import Place, Plan
from orchestration.report import table


def plan_text(plan: Plan, places: Sequence[Place]) -> str:
    """What goes, place by place."""
    lines = [f"Erase {plan.subject}, who becomes {plan.replacement}"]
    for where, group in groupby(places, key=lambda place: place.where):
        rows = [
            [place.what, f"{place.removed:,}", "go,", f"{place.changed:,}", "change"]
            if where != "files"
            else [place.what, "", "", f"{place.changed:,}", "times in it"]
            for place in group
        ]
        lines += ["", where, *(f"  {line}" for line in table(rows, numbers={1, 3}))]
    if not places:
        lines.append("Nothing stands anywhere that would go.")
    lines += [f"Note: {remark}." for remark in plan.remarks]
    lines.append(
        "\nWhat the warehouse has built from its records goes too; the next night builds it anew."
    )
    return "\n".join(lines)


def left_text(left: Sequence[str]) -> str:
    """How it ended."""
    if left:
        return "\n".join(["Erased, but it is still found in", *(f"  {place}" for place in left)])
    return "Erased. It is found in no file of the home folder but landing files."
