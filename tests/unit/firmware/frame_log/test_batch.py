"""Each record is kept once, and a flood of one station takes no room from others."""

from services.common.kafka.bus import Record
from services.firmware.frame_log.batch import MOST_ENTRIES, RENEWED_MS, Batch
from services.firmware.frame_log.entries import Entry, Kind
from services.firmware.frame_log.selection import Selection
from services.firmware.frame_log.store import Position

PLACE = ("topic", 0)


def at(offset: int, written_ms: int = 0) -> Record:
    return Record("topic", b"CP1", b"", partition=0, offset=offset, written_ms=written_ms)


def test_what_is_kept_already_is_passed_over() -> None:
    batch, known = Batch(), {PLACE: Position(10, 500)}
    assert [batch.is_new(at(offset, 500), known) for offset in (8, 9, 10, 11, 10)] == [False, False, True, True, False]
    assert batch.offsets == {PLACE: 11}
    assert (batch.before, batch.after) == ({PLACE: Position(10, 500)}, {PLACE: Position(12, 500)})


def test_a_topic_that_was_made_anew_is_read_from_its_start() -> None:
    batch, known = Batch(), {PLACE: Position(1000, 500)}
    later = 500 + RENEWED_MS + 1
    assert [batch.is_new(at(offset, later), known) for offset in (0, 1, 2)] == [True, True, True]
    assert batch.after == {PLACE: Position(3, later)}


def test_of_a_flood_the_others_keep_their_room_and_it_is_said_how_many_are_left_out() -> None:
    batch = Batch()
    for number in range(MOST_ENTRIES + 5):
        batch.add(Entry("loud", number, Kind.CALL, number, "c", payload=b"{}"))
    assert batch.add(Entry("quiet", 1, Kind.CALL, 1, "c", payload=b"{}"))
    *kept, quiet, left_out = batch.all_entries()
    assert len(kept) == MOST_ENTRIES
    assert quiet.station_id == "quiet"
    assert (left_out.station_id, left_out.kind, left_out.size) == ("loud", Kind.LEFT_OUT, 5)


def test_the_bytes_of_one_station_are_bounded_as_well() -> None:
    batch = Batch()
    added = [batch.add(Entry("loud", n, Kind.CALL, n, "c", payload=b"x" * 16_000)) for n in range(300)]
    assert 100 < sum(added) < 200


def test_stations_are_named_by_themselves_or_by_a_group() -> None:
    groups = {"CP1": ("vienna",), "CP2": ("graz", "debug")}
    some = Selection(
        everyone=False,
        station_ids=frozenset({"CP9"}),
        groups=frozenset({"debug"}),
        groups_of=lambda station_id: groups.get(station_id, ()),
    )
    assert [some.whole(one) for one in ("CP1", "CP2", "CP3", "CP9")] == [False, True, False, True]
    assert Selection(everyone=True).whole("CP3")
    assert not Selection(everyone=False).any_whole
