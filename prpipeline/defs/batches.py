"""Which repositories a run works on, and by whose credential."""

from collections.abc import Iterator, Sequence

import dagster as dg

from prpipeline.app.types import Settings

# Shows in the list of runs which repositories a run is about.
BATCH_TAG = "prpipeline/batch"

# A run with this tag uses the credential of this name and no other. deploy/level-2/dagster.yaml lets one run of each
# through the queue; the lease that a sync takes of its credential holds whoever comes in spite of that.
CREDENTIAL_TAG = "prpipeline/credential"

_CELERY_QUEUE_TAG = "dagster-celery/queue"


def batches(
    names: Sequence[str],
    settings: Settings,
    context: dg.ScheduleEvaluationContext | dg.SensorEvaluationContext,
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Runs of at most so many repositories as the settings have it, with their tags.

    Where runs are processes of one code server, each uses all its credentials, one after another. Where they are launched
    elsewhere, and credentials have names, each run gets one of them.
    """
    credentials, launcher = settings.github.names, None
    if credentials:
        launcher = context.instance.run_launcher
        if isinstance(launcher, dg.DefaultRunLauncher):
            credentials = ()
    size = settings.sync.batch_size
    if credentials:
        size = min(size, -(-len(names) // len(credentials))) or 1
    for number, start in enumerate(range(0, len(names), size)):
        batch = list(names[start : start + size])
        tags = {BATCH_TAG: f"{len(batch)} repositories" if len(batch) > 1 else batch[0]}
        if credentials:
            name = credentials[number % len(credentials)]
            tags[CREDENTIAL_TAG] = name
            if type(launcher).__name__ == "CeleryRunLauncher":
                tags[_CELERY_QUEUE_TAG] = name  # whose worker has the secret
        yield batch, tags
