"""Writes the table of events into docs/topics.md; with --check says whether it is up to date.

What an event means is the comment of its message; who publishes it under which key is in services/common/kafka.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from services.common.kafka.published_events import PUBLISHED

PUBLIC = Path(__file__).parent / "public"
EVENTS = "voltbus/v1/events.proto"
PAGE = PUBLIC.parents[1] / "docs/topics.md"
BEGIN, END = "<!-- events: written by proto/document.py -->\n", "<!-- end of events -->\n"
INCLUDE = Path(protoc.__file__).parent / "_proto"
# Of a message in the path of a location: FileDescriptorProto.message_type.
MESSAGE_TYPE = 4


def comments() -> Mapping[str, str]:
    """The comment of each message of events.proto, in their order there."""
    with tempfile.NamedTemporaryFile() as file:
        options = ("--include_source_info", f"--descriptor_set_out={file.name}")
        if protoc.main(["protoc", f"-I{PUBLIC}", f"-I{INCLUDE}", *options, EVENTS]):
            sys.exit("protoc failed")
        [events] = FileDescriptorSet.FromString(Path(file.name).read_bytes()).file
    return {
        events.message_type[location.path[1]].name: " ".join(location.leading_comments.split())
        for location in events.source_code_info.location
        if len(location.path) == 2 and location.path[0] == MESSAGE_TYPE
    }


def table() -> Iterator[str]:
    """The lines of the table."""
    yield "| Event | Topic | Key | When |\n|---|---|---|---|\n"
    for name, comment in comments().items():
        rows = [
            (f"`events.{service}`", key)
            for service, events in PUBLISHED.items()
            for event, key in events.items()
            if event.DESCRIPTOR.name == name
        ]
        if rows:
            topics, (key, *_) = zip(*rows, strict=True)
            yield f"| `{name}` | {' '.join(topics)} | {key} | {comment} |\n"


def main() -> None:
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    fresh = before + BEGIN + "".join(table()) + END + after
    if "--check" not in sys.argv:
        PAGE.write_text(fresh)
    elif fresh != page:
        sys.exit(f"the events in {PAGE} are not what proto/ says; run: make proto")


if __name__ == "__main__":
    main()
