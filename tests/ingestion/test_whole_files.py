"""A file is there whole or as it was before, and nothing is left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingestion.whole_files import write_whole


def test_a_file_is_written_and_replaced_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "made" / "one.json"
    write_whole(path, "Grüße\n")
    write_whole(path, b"\xff\x00")
    assert path.read_bytes() == b"\xff\x00"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("is_private", "mode"), [(True, 0o600), (False, 0o640)])
def test_a_private_file_is_its_owners_before_it_has_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_private: bool, mode: int
) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda file: seen.append(os.fstat(file).st_mode & 0o777))
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "salt", "s", is_private=is_private)
    finally:
        os.umask(before)
    assert seen == [mode]
    assert (tmp_path / "salt").stat().st_mode & 0o777 == mode


def test_one_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.json"
    write_whole(path, "before")
    named = []

    def full(_: int) -> None:
        named.extend(file.name for file in tmp_path.iterdir() if file != path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    [name] = named
    assert name.startswith(".one.json.")
    assert name.endswith(".tmp")
