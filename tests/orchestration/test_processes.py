"""A process is known again by its host, its number and its start."""

from __future__ import annotations

from orchestration.processes import is_alive, is_gone, this_process
from tests.orchestration.elsewhere import a_dead_process


def test_a_process_is_known_by_host_number_and_start() -> None:
    host, number, start = this_process().split(" ")
    assert not is_gone(f"{host} {number} {start}")
    assert not is_gone(f"{host} {number} ?")
    assert is_gone(f"{host} {number} 1")
    assert is_gone(a_dead_process())


def test_what_is_not_known_is_not_said_to_be_gone() -> None:
    assert not is_gone("elsewhere 1 1")
    assert not is_gone("")


def test_a_number_that_no_process_can_have_is_nobodys() -> None:
    assert not is_alive(2**22 + 1)
    assert not is_alive(2**70)
