"""Bodies that act, as rules name them: which are alike enough to be options, and which hold each other.

县级以上人民政府 holds 省人民政府, and 文物行政部门 may be 县级以上人民政府文物行政部门: two such
names never stand beside each other, since both may be right.
"""

import re

from quiz.form import pairs

_LEVEL = re.compile(
    r"^(?:国务院|全国|中央|最高|省级?|自治区|直辖市|设区的市级?|市级?|自治州|州|区|县级?|乡镇?|镇|街道|当地|所在地|本级|同级|上一级|地方|各级|以上|及其|级|和|或者|、)*(?:人民政府)?(?:的)?"
)
_HOLDS_OTHERS = re.compile("以上|各级|地方|当地|所在地|本级|同级")
_GENERIC = re.compile(
    r"^(?:有关|相关|其他|有权|同一|不同|本|原|各|跨|区域|国家|办理|人民政府|行政|主管|管理|服务|工作|分支|派出|专门|技术|研究|监督|指导|办事|常设|仲裁|金融)*(?:机构|部门|机关|单位|组织|委员会|常务委员会|办公室|小组|企业|公司|协会)$|^人民政府(?:有关部门)?$|有关部门$|职能部门$|等部门$"
)
_CLASSES = (
    ("government", re.compile("人民政府$|国务院$")),
    ("court", re.compile("法院$|检察院$|法庭$")),
    ("congress", re.compile("代表大会$|常务委员会$|代表大会.*委员会$")),
    ("authority", re.compile("机关$|海关$|监狱$")),
    ("department", re.compile("部门$|局$|厅$|部$")),
    ("party", re.compile("党委$|党组$|支部$|总支部$|支部大会$|支部委员会$|领导小组$|联席会议$|工作组$")),
    ("other", re.compile("机构$|委员会$|协会$|工会$|中心$|办公室$|小组$|大会$")),
)
_EMPTY_PAIRS = frozenset(
    ["部门", "主管", "行政", "管理", "机关", "机构", "委员", "员会", "监督", "政部", "管部", "理部"]
)
"""What the names of bodies share that are in charge of different things."""


def is_named(text: str) -> bool:
    """Whether it names one body, not any: 公安机关, not 有关部门 or 管理机构.

    >>> is_named("公安机关"), is_named("有关部门"), is_named("人民政府"), is_named("省人民政府")
    (True, False, False, True)
    """
    return not _GENERIC.search(text)


def class_of(text: str) -> str:
    """What sort of body it is; "" for none that is known.

    >>> class_of("县级以上人民政府"), class_of("人民法院"), class_of("公安机关")
    ('government', 'court', 'authority')
    """
    return next((name for name, ends in _CLASSES if ends.search(text)), "")


def matter(text: str) -> str:
    """What a body is in charge of: its name without its level.

    >>> matter("县级以上人民政府盐业主管机构"), matter("省人民政府")
    ('盐业主管机构', '')
    """
    return _LEVEL.sub("", text)


def may_stand_beside(key: str, other: str) -> bool:
    """Whether the two may be options of one question: of one sort, and neither holds the other.

    >>> may_stand_beside("省人民政府", "市人民政府"), may_stand_beside("省人民政府", "县级以上人民政府")
    (True, False)
    >>> may_stand_beside("县级以上人民政府盐业主管机构", "县级以上人民政府"), may_stand_beside("公安机关", "人民法院")
    (False, False)
    """
    one, two = class_of(key), class_of(other)
    if not one or one != two or not (is_named(key) and is_named(other)):
        return False
    a, b = matter(key), matter(other)
    wide = bool(_HOLDS_OTHERS.search(key) or _HOLDS_OTHERS.search(other))
    if not _alike(a, b):
        return True
    bare = key == a or other == b
    return not wide and (not bare or not a)


def _alike(a: str, b: str) -> bool:
    """Whether two matters may be one: the same, one within the other, or mostly the same words."""
    if a == b or (a and b and (a in b or b in a)):
        return True
    return bool((pairs(a) & pairs(b)) - _EMPTY_PAIRS)
