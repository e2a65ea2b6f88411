"""Every metric of smartcharging."""

from services.common.postgres.measures import Measure, counted
from services.common.process.leader_gauge import LeaderGauge

SITES = LeaderGauge("voltbus_sites", "sites that share a limit")
OVER_COMMITTED = LeaderGauge(
    "voltbus_sites_over_committed", "sites whose limit cannot be held: more is set aside than there is"
)
# There are thousands of sites at the most.
COUNT_SITES = "select count(*) from site"
COUNT_OVER_COMMITTED = "select count(*) from site where over_committed"

MEASURES = (
    Measure(SITES, counted(COUNT_SITES, scan=True)),
    Measure(OVER_COMMITTED, counted(COUNT_OVER_COMMITTED, scan=True)),
)
