"""The tables of what is desired of settings."""

from services.common.desired.group_store import GroupStore
from services.common.desired.progress_store import ProgressStore

PROGRESS = ProgressStore("configuration")
GROUPS = GroupStore("desired", content="settings")
