"""One partition per tracked repository; its key is the owner/name it was tracked under."""

import dagster as dg

repository_partitions = dg.DynamicPartitionsDefinition(name="repositories")
