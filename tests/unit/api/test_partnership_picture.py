"""The picture of partnerships: where boxes and lines stand."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from access.partnerships import Partnership
from api.partnership_picture import MOST, Pair, picture

DAY = date(2026, 1, 1)


def pair(own: int, other: int) -> Pair:
    return Pair(
        Partnership("p", f"a{own}", f"b{other}", DAY, DAY, None, None, True, "in_force"),
        f"a{own}",
        f"b{other}",
    )


@given(
    st.lists(st.builds(pair, st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=30),
    st.text(min_size=1, max_size=80),
)
def test_boxes_keep_apart_and_lines_end_at_them(pairs: list[Pair], name: str) -> None:
    """Inside the picture no two boxes overlap, and every line goes from its own branch's box to its partner's."""
    names = {f"{side}{n}": f"{side}{n}{name}" for side in "ab" for n in range(8)}
    found = picture(pairs, names)
    assert found is not None
    for box in found.boxes:
        assert 0 <= box.x < box.x + box.width <= found.width
        assert 0 <= box.y < box.y + box.height <= found.height
        assert 1 <= len(box.lines) <= 3
        assert all(box.y < y <= box.y + box.height for y, _ in box.lines)
        same = [b for b in found.boxes if b is not box and b.own == box.own]
        assert all(b.y >= box.y + box.height or box.y >= b.y + b.height for b in same)
    by_name = {(b.own, b.name): b for b in found.boxes}
    for told, edge in zip(pairs, found.edges, strict=True):
        left, right = by_name[True, names[told.own_id]], by_name[False, names[told.other_id]]
        assert edge.x1 == left.x + left.width
        assert edge.x2 == right.x
        assert left.y < edge.y1 < left.y + left.height
        assert right.y < edge.y2 < right.y + right.height


def test_too_many_branches_are_not_drawn() -> None:
    """A picture that could not be read is left out, and so is an empty one."""
    assert picture([pair(0, n) for n in range(MOST)], {}) is None
    assert picture([], {}) is None
    assert picture([pair(0, n) for n in range(MOST - 1)], {}) is not None
