"""Topics on a real broker: made as the table has them, and compared."""

import asyncio
import sys
from collections.abc import Mapping

from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.common.kafka.admin import administrator
from services.common.process.settings import CommonSettings
from services.ocpp import topics as ocpp
from tests.conftest import Stack, settings_of
from voltbus.operator import topics


async def check(environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code of `prepare --check`, and what it says."""
    command = sys.executable, "-m", "voltbus.operator.prepare", "--check"
    process = await asyncio.create_subprocess_exec(*command, env=dict(environment), stdout=-1, stderr=-2)
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_what_prepare_made_is_as_wanted(stack: Stack) -> None:
    assert await check(await stack.fresh()) == (0, "")


async def test_differences_are_named_and_nothing_is_changed(stack: Stack) -> None:
    environment = await stack.fresh()
    settings = settings_of(CommonSettings, environment)
    calls, tokens, frames = (settings.topic(one.name) for one in (ocpp.calls("auth"), ocpp.TOKENS, ocpp.FRAMES))
    async with administrator(settings) as admin:
        await admin.create_partitions({calls: NewPartitions(6)})
        deleted = {"cleanup.policy": "delete", "message.timestamp.type": "CreateTime"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, tokens, deleted)])
        await admin.delete_topics([frames])
        for _ in range(2):
            code, said = await check(environment)
            assert code == 1
            assert sorted(said.splitlines()) == sorted(
                [
                    f"voltbus: {calls}: partitions 6, not 4",
                    f"voltbus: {tokens}: cleanup.policy delete, not compact",
                    f"voltbus: {tokens}: message.timestamp.type CreateTime, not LogAppendTime",
                    f"voltbus: {frames}: is missing, or may not be seen (Describe, docs/acls.md)",
                ]
            )


async def test_what_is_missing_is_made_beside_what_is_there(stack: Stack) -> None:
    settings = settings_of(CommonSettings, await stack.fresh(topics=False))
    wanted = topics.wanted(settings)
    async with administrator(settings) as admin:
        await admin.create_topics([NewTopic(wanted[1].name, 1, 1)])
        found = await topics.create(admin, wanted)
    assert len(found) == len(wanted)
    assert found[wanted[1].name].partitions == 1
    assert found[wanted[0].name].partitions == wanted[0].partitions
