"""The pictures of results: what they draw stands where its numbers say, and inside the frame."""

from hypothesis import given
from hypothesis import strategies as st

from api.plots import WEAK, Measured, histogram, scatter

COUNTS = st.lists(st.integers(0, 400), min_size=10, max_size=10).filter(any)
MEASURED = st.lists(
    st.builds(Measured, st.integers(1, 99), st.floats(0, 1), st.floats(-1, 1)), min_size=1, max_size=60
)


@given(COUNTS, st.floats(0, 1))
def test_bars_are_as_high_as_their_counts(counts: list[int], pass_share: float) -> None:
    """Heights are to each other as the counts; every bar stands on the axis, inside, beside the next."""
    drawn = histogram(counts, pass_share)
    assert drawn
    highest = max(bar.height for bar in drawn.bars)
    for bar, count in zip(drawn.bars, counts, strict=True):
        assert abs(bar.height - highest * count / max(counts)) <= 0.11
        assert abs(bar.y + bar.height - drawn.floor) <= 0.11
        assert bar.y >= drawn.top - 0.1
        assert bar.label == (str(count) if count else "")
    for one, other in zip(drawn.bars, drawn.bars[1:], strict=False):
        assert one.x + one.width < other.x
    assert drawn.bars[-1].x + drawn.bars[-1].width <= drawn.width


def test_nobody_gives_no_picture() -> None:
    """Without anybody or anything to draw there is no empty frame."""
    assert histogram([0, 0], 0.6) is None
    assert scatter([]) is None


@given(MEASURED)
def test_dots_stand_where_their_numbers_say(measured: list[Measured]) -> None:
    """Further right is easier, further up tells better apart; all are inside; the band is where it is weak."""
    drawn = scatter(measured)
    assert drawn
    for m, dot in zip(measured, drawn.dots, strict=True):
        assert drawn.left <= dot.x <= drawn.right
        assert drawn.top <= dot.y <= drawn.floor
        assert (dot.y > drawn.weak + 0.1) <= (m.discrimination < WEAK)
        assert (dot.y < drawn.weak - 0.1) <= (m.discrimination > WEAK)
    for one, first in zip(measured, drawn.dots, strict=True):
        for other, second in zip(measured, drawn.dots, strict=True):
            assert (first.x < second.x) <= (one.facility < other.facility)
            assert (first.y < second.y) <= (one.discrimination > other.discrimination)
    assert drawn.y_ticks[-1].label == "1.0"
    assert drawn.y_ticks[0].at == drawn.floor
