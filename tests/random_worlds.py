"""How hypothesis runs tests that build a warehouse for each example."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# Shrinking would build the warehouse thousands of times, and the worlds are small as they are.
RANDOM_WORLDS = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
