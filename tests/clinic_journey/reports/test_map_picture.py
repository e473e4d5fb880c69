"""The shapes of the map: wide as its people, onward from column to column, who is still in time apart."""

import re

import pytest

from clinic_journey.reports.map_picture import BAR, HEIGHT, WIDTH, Picture, Way, drawn_from

NAMES = {"": "beginning", "a": "Wait for the images", "b": "Doctor decides", "c": "Visit"}


def way(source: str, target: str, people: int, **fields: int) -> Way:
    return Way(source, target, people, fields.get("young", 0), fields.get("lost", 0), "done")


def drawn(*ways: Way, is_rtl: bool = False) -> Picture:
    return drawn_from(ways, NAMES, {"a": "12, 2 left"}, is_rtl=is_rtl)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", path)]


def test_who_is_still_in_time_is_a_band_of_its_own_below_the_others() -> None:
    older, young = drawn(way("", "a", 12, young=3)).bands
    assert (older.pace, young.pace) == ("done", "young")
    tall = {band.pace: points(band.path)[-1][1] - points(band.path)[0][1] for band in (older, young)}
    assert tall == {
        "done": pytest.approx(HEIGHT * 9 / 12, abs=0.2),
        "young": pytest.approx(HEIGHT * 3 / 12, abs=0.2),
    }
    assert points(young.path)[0][1] == points(older.path)[-1][1]


@pytest.mark.parametrize(("young", "paces"), [(0, ["done"]), (12, ["young"])])
def test_where_all_are_of_one_kind_there_is_one_band(young: int, paces: list[str]) -> None:
    assert [band.pace for band in drawn(way("", "a", 12, young=young)).bands] == paces


def test_who_left_is_marked_on_the_bar_and_said_below_the_name() -> None:
    picture = drawn(way("", "a", 12, lost=6))
    begins, bar = picture.bars
    assert (begins.lost_height, bar.height, bar.lost_height) == (0, HEIGHT, HEIGHT / 2)
    assert bar.lost_y + bar.lost_height == pytest.approx(bar.y + bar.height)
    assert [label.note[1] for label in picture.labels] == ["", "12, 2 left"]


def test_a_way_past_a_step_goes_below_it() -> None:
    picture = drawn(way("", "a", 8), way("a", "b", 8), way("", "b", 2))
    middle = picture.bars[1]
    past = next(band for band in picture.bands if band.way == way("", "b", 2))
    at_the_step = [y for x, y in points(past.path) if x == middle.x]
    assert at_the_step
    assert min(at_the_step) > middle.y + middle.height


def test_where_text_is_read_from_the_right_so_is_the_picture() -> None:
    ways = way("", "a", 8, young=2), way("a", "b", 6), way("", "b", 1), way("b", "c", 5)
    left, right = drawn(*ways), drawn(*ways, is_rtl=True)
    for here, there in zip(left.bands, right.bands, strict=True):
        mirrored = [(round(WIDTH - x, 1), y) for x, y in points(there.path)]
        assert mirrored == points(here.path)
    assert [round(WIDTH - BAR - bar.x, 1) for bar in right.bars] == [bar.x for bar in left.bars]
    assert [round(WIDTH - each.x, 1) for each in right.labels] == [each.x for each in left.labels]


def test_everything_is_on_the_sheet() -> None:
    picture = drawn(
        way("", "a", 9), way("", "b", 5), way("a", "c", 7, young=7), way("b", "c", 5), way("a", "b", 1)
    )
    for band in picture.bands:
        for x, y in points(band.path):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= picture.height
    assert all(bar.y + bar.height <= picture.height for bar in picture.bars)
    assert all(y > 0 for label in picture.labels for y, _words in label.lines)


def test_a_long_name_is_written_in_lines() -> None:
    names = {"": "beginning", "a": "Wait " * 90}
    label = drawn_from([way("", "a", 1)], names, {}, is_rtl=False).labels[1]
    assert len(label.lines) == 3
    assert label.lines[-1][1].endswith("…")
    assert [y for y, _words in label.lines] == sorted(y for y, _words in label.lines)


def test_nobody_leaves_an_empty_sheet() -> None:
    assert drawn(way("", "a", 0)).bands == ()
