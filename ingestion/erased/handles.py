"""What identifies an erased account or person, and how it is found in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# From this length on an identifier is told from any other text, wherever it stands. Shorter ones
# are looked for in texts of the account's own records only, and have to look like identifiers.
_DISTINCT_LENGTH = 12
_LEAST_LENGTH = 6
# Between two words of a text, for the engine.
NO_WORD = r"[^\p{L}\p{N}]+"
# Alternatives of one regular expression of the engine.
_ALTERNATIVES = 200


@dataclass(frozen=True)
class Handle:
    """Something by which an erased account or person is found, in plain text.

    kind: account, user, contact, invoice, ticket (ids, equal to the letter), email, text (an id or
    a name within a text, in words). scope: the account_id that it is of, '' where it holds for all.
    """

    kind: str
    scope: str
    value: str
    replacement: str


def in_words(text: str) -> str:
    """A text as it is compared: its words in lower case, one blank between them."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def is_distinct(value: str) -> bool:
    """Whether an identifier or a name is looked for in every text."""
    return len(value) >= _DISTINCT_LENGTH


def is_told_from_text(value: str) -> bool:
    """Whether it is looked for in texts of the account's own records."""
    has_digit = any(character.isdigit() for character in value)
    return is_distinct(value) or (len(value) >= _LEAST_LENGTH and (has_digit or " " in value))


class Search:
    """Finds the handles that count in texts of one account, and puts their replacements there."""

    def __init__(self, handles: Iterable[Handle], scope: str | None) -> None:
        """Take e-mail addresses, and texts of all accounts and of this one (None: of any)."""
        self._emails: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        for handle in handles:
            if handle.kind == "email":
                self._emails[handle.value] = handle.replacement
            elif handle.kind == "text" and (scope is None or handle.scope in ("", scope)):
                self._texts[handle.value] = handle.replacement
        self._pattern = self._compiled()

    def _compiled(self) -> re.Pattern[str] | None:
        longest_first = sorted(self._texts, key=lambda value: (-len(value), value))
        texts = [r"[\W_]+".join(map(re.escape, value.split(" "))) for value in longest_first]
        emails = sorted(map(re.escape, self._emails), key=lambda value: (-len(value), value))
        parts = []
        if emails:
            after = r"(?![^\W_])(?![.-][^\W_])"
            parts.append(rf"(?P<email>(?<![^\W_])(?<![.%+_-])(?:{'|'.join(emails)}){after})")
        if texts:
            parts.append(rf"(?P<text>(?<![^\W_])(?:{'|'.join(texts)})(?![^\W_]))")
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None

    def scrubbed(self, value: Any) -> Any:
        """The value without what was erased; a list item by item, a dictionary value by value."""
        if isinstance(value, list):
            return [self.scrubbed(item) for item in value]
        if isinstance(value, dict):
            return {key: self.scrubbed(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        return self._pattern.sub(self._replaced, value) if self._pattern else value

    def found_in(self, text: str) -> list[str]:
        """What stands in a text."""
        if not self._pattern:
            return []
        return [match.group() for match in self._pattern.finditer(text)]

    def _replaced(self, match: re.Match[str]) -> str:
        if match.lastgroup == "email":
            return self._emails[match.group().lower()]
        return self._texts[in_words(match.group())]


def prefilters(handles: Iterable[Handle]) -> list[str]:
    """Regular expressions of the engine that find at least the texts that hold a handle."""
    found = [
        NO_WORD.join(re.escape(word) for word in handle.value.split(" "))
        if handle.kind == "text"
        else re.escape(handle.value)
        for handle in handles
        if handle.kind in ("email", "text")
    ]
    unique = sorted(set(found))
    return [
        "|".join(unique[start : start + _ALTERNATIVES])
        for start in range(0, len(unique), _ALTERNATIVES)
    ]
