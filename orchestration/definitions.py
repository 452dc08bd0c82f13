"""What Dagster loads: the stations of the night, each from its module in `defs/`."""

import warnings

import dagster as dg

from orchestration.defs import alerts, home, nightly, published, quality, raw, sensors, warehouse
from orchestration.manifest import load_manifest
from orchestration.progress import Progress
from settings import Settings, load_settings

# Both are what Dagster's own guides use; the versions are pinned.
warnings.simplefilter("ignore", dg.BetaWarning)
warnings.simplefilter("ignore", dg.PreviewWarning)


def build(settings: Settings, progress: Progress | None = None) -> dg.Definitions:
    """Everything, for one home folder. Parses the dbt project if it changed."""
    progress = progress or Progress()
    manifest = load_manifest(settings)
    job = nightly.nightly_job(settings)
    return dg.Definitions.merge(
        home.definitions(settings),
        raw.definitions(settings, progress),
        quality.definitions(settings, progress, manifest),
        warehouse.definitions(settings, progress, manifest),
        published.definitions(settings, progress, manifest),
        nightly.definitions(settings, job),
        sensors.definitions(settings, job),
        alerts.definitions(settings, job),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions for the settings of the environment, as `dagster dev` and `dg` load them."""
    return build(load_settings())
