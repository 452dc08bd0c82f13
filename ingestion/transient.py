"""Which failures may pass by themselves, so that a load is worth another try.

A network file system that does not answer, a lock that somebody holds for a moment, a system that
is short of something. Not a disk that is full, a file that may not be read or is not there, and
nothing that is wrong with the data: trying again changes none of these.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

_MAY_PASS = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EDEADLK,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOLCK,
        errno.ENOMEM,
        errno.ENOTCONN,
        errno.EPIPE,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ETXTBSY,
    }
)
_FOR_GOOD = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ENOTDIR,
)

# DuckDB has no numbers for what the system told it, but says it in the system's words.
_LOCKED = "Could not set lock on file"
_WORDS_THAT_MAY_PASS = (_LOCKED, *(os.strerror(number) for number in sorted(_MAY_PASS)))
_WORDS_FOR_GOOD = tuple(os.strerror(number) for number in _FOR_GOOD)


def may_pass(error: BaseException) -> bool:
    """Whether a failure, or what it came from, is of the kind that passes by itself."""
    chain = list(_chain(error))
    if any(_is_for_good(one) for one in chain):
        return False
    return any(_is_passing(one) for one in chain)


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _MAY_PASS
    return isinstance(error, TimeoutError | ConnectionError) or (
        _is_of_duckdb(error) and any(words in str(error) for words in _WORDS_THAT_MAY_PASS)
    )


def _is_for_good(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FOR_GOOD
    return _is_of_duckdb(error) and any(words in str(error) for words in _WORDS_FOR_GOOD)


def _is_of_duckdb(error: BaseException) -> bool:
    """Whether it is DuckDB's error of reading and writing, without importing DuckDB for it."""
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
    return bool(kinds & {"duckdb.IOException", "_duckdb.IOException"})


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context
