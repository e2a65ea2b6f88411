"""Dashboards of Grafana as code; the JSON that is made of them lies in the chart, for those who have no chart, too."""
