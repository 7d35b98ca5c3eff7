import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.kernels.spans import Span
from minidl.layers.windows import Window

WINDOWS = st.builds(Window, st.integers(1, 4), st.integers(1, 4), st.sampled_from([None, 0, 1, 2]))
LENGTHS = st.integers(1, 9)


def places(span, window):
    """Where a window stands on the axis, also beyond its ends."""
    begin = window * span.stride - span.before
    return range(begin, begin + span.size)


@given(WINDOWS, LENGTHS)
def test_windows_begin_before_the_axis_and_none_begins_that_would_reach_too_far(window, length):
    span = window.span(length)
    after = span.length - span.before - length
    if window.padding is None:
        assert span.count == -(-length // window.stride)
        assert after - span.before in (0, 1) or span.length < length
    elif span.count:
        assert span.before == window.padding
        assert after <= window.padding < after + window.stride


@given(WINDOWS, LENGTHS)
def test_what_lies_inside_is_what_the_span_and_the_axis_share(window, length):
    span = window.span(length)
    if span.count:
        ours, theirs = span.inside(length)
        whole = np.arange(span.length) - span.before
        shared = [place for place in whole if 0 <= place < length]
        assert list(range(length)[theirs]) == whole[ours].tolist() == shared


@given(WINDOWS, LENGTHS, st.data())
def test_a_tap_is_one_number_of_every_window_that_has_it_inside(window, length, data):
    span = window.span(length)
    offset = data.draw(st.integers(0, window.size - 1))
    windows, there = span.tap(offset, length)
    wanted = {i: places(span, i)[offset] for i in range(span.count) if 0 <= places(span, i)[offset] < length}
    assert dict(zip(range(span.count)[windows], range(length)[there], strict=True)) == wanted


@given(WINDOWS, LENGTHS)
def test_the_phases_say_which_windows_cover_each_place_through_which_offset(window, length):
    span = window.span(length)
    wanted = {(i, place, places(span, i).index(place)) for i in range(span.count) for place in places(span, i)}
    found = set()
    for there, offsets, back in span.phases(length):
        taps = range(window.size)[offsets]
        assert len(taps) == back.size
        for number, place in enumerate(range(length)[there]):
            covering = places(back, number)
            found |= {(i, place, taps[back.size - 1 - k]) for k, i in enumerate(covering) if 0 <= i < span.count}
    assert found == {triple for triple in wanted if 0 <= triple[1] < length}


def test_a_part_of_a_span_is_the_span_of_some_of_its_windows():
    assert Span(3, 2, 1, 5).part(slice(2, 4)) == Span(3, 2, -3, 2)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_an_axis_shorter_than_a_window_has_none(length):
    assert Window(4, 1, 0).count(length) == 0
