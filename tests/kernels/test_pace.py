"""What a plan learns about its walks: in the interpreter, with a clock and a walk of our own."""

import ctypes

import pytest
from fastgrad.kernels import pace

Function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class World:
    """Walks of known lengths; `ways` are those that were taken. The words of pace.py are followed in Python."""

    def __init__(self, shared, alone, monkeypatch):
        self.lengths, self.time, self.ways = [shared, alone], 0, []
        self.known = [self.walk, self.clock, 0, pace.TRIAL, pace.TRIAL + 50, 0, 0]
        monkeypatch.setattr(pace, "room", lambda n: [0] * n, raising=False)
        monkeypatch.setattr(pace, "invoke", lambda function, *args: function(*args), raising=False)

    def clock(self, which, time):
        assert which == 1
        time[0], time[1] = divmod(self.time, 10**9)

    def walk(self, table, count, way):
        self.ways.append(way)
        self.time += self.lengths[way]
        return count

    def turns(self, count):
        """The share of the next walks that are alone."""
        self.ways.clear()
        for _ in range(count):
            assert pace.walk(0, 7, self.known) == 7
        return sum(self.ways) / count


@pytest.mark.plain
@pytest.mark.parametrize(("shared", "alone"), [(10_000, 20_000), (20_000, 10_000), (30_000, 100_000), (100_000, 30_000)])
def test_the_quicker_way_is_taken(shared, alone, monkeypatch):
    world = World(shared, alone, monkeypatch)
    world.turns(200)
    for _ in range(3):
        found = world.turns(3 * pace.LATE)
        wrong = found if shared < alone else 1 - found
        assert 0 < wrong < 0.002


@pytest.mark.plain
def test_equal_ways_stay_as_they_are(monkeypatch):
    world = World(10_000, 10_100, monkeypatch)
    assert world.turns(20 * pace.SOON) < 0.02
    world.lengths = [10_100, 10_000]
    assert world.turns(20 * pace.SOON) < 0.02


@pytest.mark.plain
def test_a_core_that_goes_and_comes_back_is_noticed(monkeypatch):
    world = World(10_000, 15_000, monkeypatch)
    world.turns(500)
    world.lengths[0] = 80_000
    world.turns(200)
    assert world.turns(pace.SOON) > 0.9
    world.lengths[0] = 10_000
    world.turns(3 * pace.LATE)
    assert world.turns(pace.SOON) < 0.1


@pytest.mark.plain
def test_an_interruption_changes_nothing(monkeypatch):
    world = World(10_000, 15_000, monkeypatch)
    world.turns(500)
    for _ in range(20):
        world.lengths[0] = 5_000_000
        world.turns(1)
        world.lengths[0] = 10_000
        world.turns(2 * pace.SOON)
    assert world.turns(pace.LATE) < 0.01


@pytest.mark.plain
def test_long_walks_are_not_tried(monkeypatch):
    world = World(2 * pace.LONG, pace.LONG, monkeypatch)
    assert world.turns(10_000) == 0


@pytest.mark.plain
def test_the_first_walks_after_a_change_do_not_count(monkeypatch):
    """Threads that sleep have to be called."""
    world = World(10_000, 15_000, monkeypatch)
    world.known[2] = 1  # alone, so the other way is the one with threads
    plain = world.walk

    def waking(table, count, way):
        first = way == 0 and (not world.ways or world.ways[-1] == 1)
        world.time += 100_000 * first
        return plain(table, count, way)

    world.known[0] = waking
    world.turns(200)
    assert world.turns(pace.SOON) < 0.1


def test_compiled_it_walks_both_ways_and_says_how_far_it_came():
    seen = []

    @Function
    def walk(table, count, way):
        seen.append((table, way))
        return count - 1

    known = pace.unknown(True)
    assert known[1] != 0
    known[0] = ctypes.cast(walk, ctypes.c_void_p).value
    compiled = Function(pace.address())
    for _ in range(80):
        assert compiled(96, 5, known.buffer_info()[0]) == 4
    assert {table for table, _ in seen} == {96}
    assert [way for _, way in seen[:62]] == [0] * 50 + [1] * pace.TRIAL
    assert known[5] > 0
    assert known[6] > 0


def test_a_plan_without_shared_rows_reads_no_clock():
    assert pace.unknown(False)[1] == 0
