"""Configuration as REST shows it, and as it is given."""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.common.commands.api.commands import CommandStatus
from services.common.commands.command import Command
from services.common.desired.group_store import GroupDocument
from services.common.desired.progress import Step
from services.common.web.fields import NO_NUL
from services.common.web.pages import Page
from services.firmware.configuration.answers import answer
from services.firmware.configuration.dialects.dialect import SettingsDialect
from services.firmware.configuration.domain.reports import MISSING_SHOWN, Report, ReportProgress, progress_of
from services.firmware.configuration.domain.settings import Attempt, Result, Setting, State, awaits_reboot, key, state
from services.firmware.configuration.group_settings import GroupSettings
from services.firmware.configuration.reads import GroupMember, SettingRow

MAX_SETTINGS = 500
Name = Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
Value = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
Values = Annotated[dict[Name, Value], Field(max_length=MAX_SETTINGS)]
Base = Literal["FullInventory", "ConfigurationInventory", "SummaryInventory"]
STATES = (
    "of what is desired: in_sync; differs; pending: sent, no answer yet; pending_reboot: taken, counts from the next "
    "boot on; rejected, read_only, unknown: what the station said; write_only: a secret, which no group sets; "
    "not_yet_applied; conflict: a group that comes before this one says otherwise, and counts"
)


class SetSettings(BaseModel):
    """Settings by their own names or by those that versions share, and the values they are to have."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"settings": {"heartbeat_interval": "300"}}]}
    )

    settings: Values = Field(min_length=1)


class ReadSettings(BaseModel):
    """What to read again; without names, everything. report: of 2.x, which."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"names": ["heartbeat_interval"]}]})

    names: Annotated[list[Name], Field(min_length=1, max_length=MAX_SETTINGS)] | None = None
    report: Base = "FullInventory"


class DesiredSettings(BaseModel):
    """settings: by names that versions share, or by those that only one version can have. versions: by any name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "settings": {"heartbeat_interval": "300"},
                    "versions": {"1.6": {"MeterValuesSampledData": "Energy.Active.Import.Register"}},
                }
            ]
        },
    )

    settings: Values = Field(default_factory=dict)
    versions: Annotated[dict[Name, Values], Field(max_length=10)] = Field(default_factory=dict)


class AttemptView(BaseModel):
    """The last attempt to set it."""

    wanted: str | None = Field(description="null where it is a secret")
    result: Result
    reason: str | None = Field(description="in the station's words, or why it got no answer")
    command_id: str
    asked_at: datetime
    at: datetime

    @classmethod
    def of(cls, attempt: Attempt | None) -> Self | None:
        if attempt is None:
            return None
        return cls(
            wanted=attempt.wanted,
            result=attempt.result,
            reason=attempt.reason,
            command_id=attempt.command_id,
            asked_at=attempt.asked_at,
            at=attempt.at,
        )


class SettingView(BaseModel):
    """One setting; null is what is not known. A write-only value is never known."""

    name: str = Field(description="in the station's words")
    shared_name: str | None = Field(description="that versions have in common")
    value: str | None
    mutability: str | None = Field(description="ReadOnly, WriteOnly, ReadWrite")
    data_type: str | None
    unit: str | None
    minimum: float | None
    maximum: float | None
    values: str | None = Field(description="those that it can have, as the station lists them")
    persistent: bool | None
    constant: bool | None
    unknown: bool = Field(description="the station says that it has no such setting")
    source: str | None = Field(description="report, get or set")
    known_at: datetime | None
    last_set: AttemptView | None
    pending_reboot: bool
    desired: str | None
    state: State | None = Field(description=STATES)

    @classmethod
    def of(cls, row: SettingRow, dialect: SettingsDialect | None, booted_at: datetime | None) -> Self:
        """dialect: of the version that the station speaks."""
        known = row.setting or Setting(row.name)
        characteristics = known.characteristics
        return cls(
            name=row.name,
            shared_name=dialect.shared_name(row.name) if dialect else None,
            value=known.value,
            mutability=characteristics.mutability if characteristics else None,
            data_type=characteristics.data_type if characteristics else None,
            unit=characteristics.unit if characteristics else None,
            minimum=characteristics.minimum if characteristics else None,
            maximum=characteristics.maximum if characteristics else None,
            values=characteristics.values if characteristics else None,
            persistent=characteristics.persistent if characteristics else None,
            constant=characteristics.constant if characteristics else None,
            unknown=known.unknown,
            source=known.source,
            known_at=known.known_at,
            last_set=AttemptView.of(known.attempt),
            pending_reboot=awaits_reboot(known, booted_at),
            desired=row.desired,
            state=None if row.desired is None else state(row.setting, row.desired, booted_at),
        )


class ReportView(BaseModel):
    """A report of settings in parts (2.x). What was asked for in parts comes in a report each, shown as one."""

    request_id: int = Field(description="by which it was asked for; of more reports, by which the first was")
    base: str | None = Field(description="what was asked for; null where it is not known")
    status: ReportProgress
    reason: str | None
    parts: int = Field(description="that have come")
    missing: list[int] = Field(description="seqNos that have not come, as far as can be told; the first thousand")
    command_id: str | None
    asked_at: datetime | None
    changed_at: datetime | None

    @classmethod
    def of(cls, reports: Sequence[Report]) -> Self:
        """reports: that one command asked for, in the order in which it did."""
        first = reports[0]
        return cls(
            request_id=first.request_id,
            base=first.base,
            status=progress_of(reports),
            reason=next((one.reason for one in reports if one.reason), None),
            parts=sum(len(one.parts) for one in reports),
            missing=[number for one in reports for number in one.missing][:MISSING_SHOWN],
            command_id=first.command_id,
            asked_at=first.asked_at,
            changed_at=max((one.changed_at for one in reports if one.changed_at), default=None),
        )


class ConfigurationView(Page[SettingView]):
    """What is known of the settings of a station."""

    station_id: str
    version: str | None
    group: str | None = Field(description="the first of its groups of which something is desired, or the first")
    step: Step | None = Field(description="due: to be read; reading; ready: what differs is to be set; idle")
    read_at: datetime | None = Field(description="when everything was read last")
    applied_at: datetime | None = Field(description="when what is desired was last compared and sent")
    report: ReportView | None = Field(description="the last report, of 2.x")


class SetView(BaseModel):
    """What became of setting one setting."""

    name: str
    asked_as: str = Field(description="as it was called in the request")
    wanted: str
    result: Result
    reason: str | None
    command_id: str


class SetResults(BaseModel):
    """What became of setting settings; pending goes on."""

    station_id: str
    settings: list[SetView]


class ReadResults(BaseModel):
    """The commands that read. report: the requestId of the report, where one was asked for."""

    station_id: str
    commands: list[CommandStatus]
    request_id: int | None = None


class GroupView(BaseModel):
    """What is desired of a group."""

    group: str
    settings: dict[str, str]
    versions: dict[str, dict[str, str]]
    changed_at: datetime
    author: str | None = Field(description="`sub` of the bearer token that set it; null: not known")
    stations: int = Field(description="in the group now")

    @classmethod
    def of(cls, document: GroupDocument, stations: int) -> Self:
        desired = GroupSettings.of(document)
        return cls(
            group=document.group,
            settings=dict(desired.settings),
            versions={version: dict(own) for version, own in desired.versions.items()},
            changed_at=document.changed_at,
            author=document.author,
            stations=stations,
        )


class Difference(BaseModel):
    """A desired setting of a station."""

    name: str
    desired: str
    actual: str | None
    state: State = Field(description=STATES)
    reason: str | None = Field(description="in the station's words, where it said some")


class StationDifferences(BaseModel):
    """How a station stands to what is desired of it."""

    station_id: str
    version: str | None
    online: bool
    in_sync: bool
    settings: list[Difference]

    @classmethod
    def of(
        cls,
        member: GroupMember,
        desired: dict[str, str],
        *,
        known: dict[str, Setting],
        conflicts: Set[str],
        everything: bool,
    ) -> Self:
        """desired: by name. known: by key. conflicts: keys. everything: what is as desired too."""
        compared = [
            _setting_difference(
                name,
                value,
                setting=known.get(key(name)),
                booted_at=member.booted_at,
                conflicting=key(name) in conflicts,
            )
            for name, value in desired.items()
        ]
        return cls(
            station_id=member.station_id,
            version=member.version,
            online=member.online,
            in_sync=member.version is not None and all(one.state is State.IN_SYNC for one in compared),
            settings=[one for one in compared if everything or one.state is not State.IN_SYNC],
        )


def results(names: dict[str, str], commands: Sequence[Command], known: dict[str, Setting]) -> list[SetView]:
    """What commands came to. names: by key, as it was called in the request. known: settings by key."""
    shown = []
    for command in commands:
        for one in answer(command).results:
            setting = known.get(key(one.name))
            refused = one.result is Result.REJECTED and setting is not None and setting.read_only
            shown.append(
                SetView(
                    name=one.name,
                    asked_as=names[key(one.name)],
                    wanted=one.wanted or "",
                    result=Result.READ_ONLY if refused else one.result,
                    reason=one.reason,
                    command_id=command.id,
                )
            )
    return shown


def _setting_difference(
    name: str, desired: str, *, setting: Setting | None, booted_at: datetime | None, conflicting: bool
) -> Difference:
    attempt = setting.attempt if setting else None
    return Difference(
        name=name,
        desired=desired,
        actual=setting.value if setting else None,
        state=State.CONFLICT if conflicting else state(setting, desired, booted_at),
        reason=attempt.reason if attempt and attempt.wanted == desired else None,
    )
