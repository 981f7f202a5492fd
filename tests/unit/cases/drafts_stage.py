"""A branch whose people write a case, on a store without an index."""

from access.rights import Role
from cases.drafts import Drafts
from cases.model import Body, Field
from tests.unit.access.conftest import House

BODY: Body = {
    Field.TITLE: "候诊区改成分段叫号",
    Field.PROBLEM: "上午八点到九点，候诊区站满了人。平均要等七十分钟。",
    Field.PRACTICE: "按半小时一段发号。到点才进候诊区。",
    Field.OUTCOME: "平均等候降到二十六分钟。",
}


def people(house: House) -> House:
    """Writers, a reviewer and a member of 甲, and a liaison of 乙."""
    house.branch("jia")
    house.branch("yi")
    house.person("trainer", {"jia": Role.TRAINER})
    house.person("liaison", {"jia": Role.LIAISON})
    house.person("reviewer", {"jia": Role.LIAISON})
    house.person("member", {"jia": Role.MEMBER})
    house.person("stranger", {"yi": Role.LIAISON})
    return house


def drafts_of(house: House) -> Drafts:
    """The service over the house."""
    return Drafts(house.access.office)
