"""The demo company: a made-up software vendor's landing folder, the same bytes for the same seed.

`write_demo` is the only way in. What belongs here: inventing records and writing them in the native
landing format. What does not: reading them, and any figure computed from them.
"""

from sample_data.demo import (
    DEFAULT_AS_OF,
    DEFAULT_SEED,
    Case,
    DemoFile,
    DemoSummary,
    write_demo,
)

__all__ = ["DEFAULT_AS_OF", "DEFAULT_SEED", "Case", "DemoFile", "DemoSummary", "write_demo"]
