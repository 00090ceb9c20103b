"""The jobs: sync (raw and metrics of repositories), reconcile (the same, looking closer), publish (once, after)."""

import dagster as dg

from prpipeline.defs.keys import SYNCED

STEP = "sync_and_publish"

# Runs with this tag look closer. Not the job's run config: the launchpad shows the assets' own defaults in its place,
# and a partitioned job takes no config mapping.
RECONCILE_TAG = "prpipeline/reconcile"

# Of Jira, where projects are selected: defs/jira.py.
JIRA_SYNC, SYNC_JIRA, RECONCILE_JIRA = "sync_projects_of_jira", "sync_jira", "reconcile_jira"

# Runs with this tag look at what webhooks told of, instead of at all repositories.
DELIVERIES_TAG = "prpipeline/deliveries"

_SYNCED = dg.AssetSelection.assets(*SYNCED).without_checks()

sync_job = dg.define_asset_job(
    "sync",
    selection=_SYNCED,
    description="Bring repositories up to date with GitHub, and compute their metrics. Without a partition: all that are "
    "tracked, or those named in the configuration.",
    executor_def=dg.in_process_executor,
)


reconcile_job = dg.define_asset_job(
    "reconcile",
    selection=_SYNCED,
    tags={RECONCILE_TAG: "true"},
    description="Like sync, and find what GitHub does not report as a change: deletions and silent edits.",
    executor_def=dg.in_process_executor,
)
publish_job = dg.define_asset_job(
    "publish",
    # All checks, of what was synced too: once after a batch, not once a run.
    selection=(dg.AssetSelection.all() - _SYNCED) | dg.AssetSelection.all_asset_checks(),
    description="Compute the tables that span repositories, check all data, and put everything before its readers.",
    executor_def=dg.in_process_executor,
)

deliveries_job = dg.define_asset_job(
    "deliveries",
    selection=_SYNCED,
    tags={DELIVERIES_TAG: "true"},
    description="Read what deliveries of webhooks told of, and compute its metrics. Of what they told, see: prpipeline "
    "webhooks status.",
    executor_def=dg.in_process_executor,
)

SYNC_JOBS = frozenset({"sync", "reconcile", "deliveries", SYNC_JIRA, RECONCILE_JIRA})
