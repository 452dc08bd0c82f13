"""The home folder as a resource: whoever materializes anything in it holds it for the whole run.

The in-process executor makes a resource once per run, before the first step, and takes it down
after the last. So a night, a backfill's run and one asset that a person materializes on Dagster's
pages keep each other out, and the command line too. Every asset and check requires it.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg

from orchestration.content import forget_standing
from orchestration.defs.nightly import as_of_date
from orchestration.erasure import refuse_pending
from orchestration.run_lock import NightError, only_run, patience, refuse_locked
from settings import Settings

HOME = "home"

_MAX_RETRIES_TAG = "dagster/max_retries"


def definitions(settings: Settings) -> dg.Definitions:
    """The resource that assets and checks require."""

    @dg.resource(description="Held by one run at a time; another one waits, or is refused.")
    def home(context: dg.InitResourceContext) -> Iterator[None]:
        settings.home.mkdir(parents=True, exist_ok=True)
        run = context.run
        tell = context.log.info if context.log else None
        with ExitStack() as held:
            try:
                held.enter_context(
                    only_run(
                        settings,
                        f"run {run.run_id[:8]} of Dagster" if run else "Dagster",
                        as_of_date(run, settings) if run else None,
                        wait_minutes=patience(settings),
                        tell=tell,
                    )
                )
                refuse_locked(settings.warehouse_path, tell)
                refuse_pending(settings)
                forget_standing(settings)
            except NightError as error:
                if run and context.instance:
                    # done again at once it would be refused again
                    context.instance.add_run_tags(run.run_id, {_MAX_RETRIES_TAG: "0"})
                raise dg.Failure(str(error), allow_retries=False) from None
            yield

    return dg.Definitions(resources={HOME: home})
