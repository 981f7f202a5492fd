"""Which questions must not stand in one form: what gives away what, and what only looks like it."""

from quiz.enemies import enemies, groups, same_clause
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, Type


def asked(
    stem: str,
    key: str,
    clause: str = "",
    *,
    type: Type = Type.BLANK,
    options: tuple[str, ...] = (),
    points: tuple[Point, ...] = (),
    quote: str = "",
    place: str = "",
) -> Question:
    """A question on a clause of the rule, on one of its own unless another is named."""
    quote = quote or stem.replace(BLANK, key)
    cited = Citation("lamp", "灯塔守则", ("条",), quote, 100, 100 + len(quote), clause or stem, "art")
    at = quote.find(place) + 100
    places = ((at, at + len(place)),) if place else ()
    return Question(type, stem, options, (key,), citation=cited, points=points, places=places)


OIL = asked(f"灯塔的油料每{BLANK}清点一次，由班长登记。", "旬")


def test_a_stem_that_holds_the_key_where_it_is_asked_for_gives_it_away() -> None:
    """The sentence with its key in another stem, whatever that asks for itself, is an enemy."""
    other = asked(f"灯塔的油料每旬清点一次，由{BLANK}登记。", "班长")
    assert enemies([OIL, other]) == [(0, 1)]
    assert enemies([other, OIL]) == [(0, 1)]


def test_numbers_give_each_other_away_in_any_form() -> None:
    """三十日 in a stem tells 30天 that is asked for."""
    asking = asked(f"航行日志应当自到岸之日起保存{BLANK}，期满销毁。", "30天")
    telling = asked(f"航行日志应当自到岸之日起保存三十日，期满由{BLANK}销毁。", "值班员")
    assert enemies([asking, telling]) == [(0, 1)]


def test_the_same_key_elsewhere_gives_nothing_away() -> None:
    """A key that stands in a sentence about something else is no enemy, nor is part of a larger number."""
    elsewhere = asked(f"救生艇每旬下水一次，{BLANK}须在场。", "艇长")
    larger = asked(f"航行日志应当自到岸之日起保存13日，期满由{BLANK}销毁。", "值班员")
    smaller = asked(f"航行日志应当自到岸之日起保存{BLANK}，期满销毁。", "3日")
    assert enemies([OIL, elsewhere]) == []
    assert enemies([smaller, larger]) == []


def test_a_false_statement_is_given_away_by_the_true_one() -> None:
    """What a true or false question changed is told by a stem that says how it is."""
    false = asked(
        "灯塔的油料每月清点一次，由班长登记。",
        FALSE,
        type=Type.TRUE_FALSE,
        options=(TRUE, FALSE),
        quote="灯塔的油料每旬清点一次，由班长登记。",
        place="旬",
    )
    telling = asked(f"灯塔的油料每旬清点一次，由{BLANK}登记。", "班长")
    assert enemies([false, telling]) == [(0, 1)]


def test_a_point_of_a_short_answer_is_given_away() -> None:
    """A stem that says what a short answer is marked for is an enemy."""
    short = asked(
        "起雾时守塔人应当怎么办？",
        "鸣笛并每刻钟记录一次",
        type=Type.SHORT,
        points=(Point("每刻钟记录一次", 1.0),),
    )
    telling = asked(f"起雾时守塔人应当鸣笛，并且每刻钟记录一次{BLANK}。", "能见度")
    assert enemies([short, telling]) == [(0, 1)]


def test_stems_that_are_nearly_the_same_are_enemies() -> None:
    """One question in two wordings is not asked twice."""
    one = asked("守塔人在大风天应当先检查哪一样？", "窗闩", type=Type.SINGLE, options=("窗闩", "门锁"))
    same = asked("守塔人在大风天应当首先检查哪一样？", "窗闩", type=Type.SINGLE, options=("窗闩", "油表"))
    assert enemies([one, same]) == [(0, 1)]


def test_stems_that_ask_nothing_by_themselves_are_no_enemies() -> None:
    """下列说法正确的是 twice, with other statements to choose from, is two questions."""
    stem = "关于守塔，下列说法正确的是哪一项？"
    one = asked(stem, "塔门常闭", "c1", type=Type.SINGLE, options=("塔门常闭", "塔门常开"))
    other = asked(stem, "灯油自备", "c2", type=Type.SINGLE, options=("灯油自备", "灯油代领"))
    assert enemies([one, other]) == []


def test_questions_of_one_clause_are_one_group_and_other_enemies_another() -> None:
    """Of a clause one is taken; what is of one clause anyway is not said twice."""
    who = asked(f"灯塔的油料每旬清点一次，由{BLANK}登记。", "班长", "oil")
    oil = asked(f"灯塔的油料每{BLANK}清点一次，由班长登记。", "旬", "oil")
    again = asked(f"灯塔的油料每{BLANK}清点一次，由班长登记！", "旬", "other")
    assert same_clause([who, oil, again]) == [(0, 1)]
    assert groups([who, oil]) == [(0, 1)]
    assert [set(g) for g in groups([who, oil, again])] == [{0, 1}, {0, 2}, {1, 2}]


def test_enemies_all_among_themselves_are_one_group() -> None:
    """Three questions of which each gives each away are a group of three, not three pairs."""
    three = [asked(f"灯塔的油料每{BLANK}清点一次，由班长登记{end}", "旬") for end in "。！；"]
    assert enemies(three) == [(0, 1), (0, 2), (1, 2)]
    assert groups(three) == [(0, 1, 2)]


def test_what_was_brought_in_without_a_clause_stands_beside_anything() -> None:
    """Questions without a citation share no clause."""
    bare = [Question(Type.BLANK, f"灯号{n}是{BLANK}。", (), (f"{n}长",)) for n in (1, 2)]
    assert same_clause(bare) == []
