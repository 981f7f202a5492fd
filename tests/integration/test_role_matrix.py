"""Every cell of docs/roles.md, over HTTP: who may do what in their own, a partner's and a foreign branch."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from access.principal import Power
from access.rights import OPERATOR as OPERATORS
from access.rights import Action, Grant, Relation, Role, granted
from access.sharing import Wanted
from api.app import create_app
from api.settings import Settings
from api.wiring import build_services
from tests.fakes import HashingEncoder
from tests.integration.role_world import BESIDE, BRANCHES, COLUMNS, GUEST, HOME, OPERATOR, PARTNERS, World
from tests.people import CHEAP, bearer, principal

REFUSED = (401, 403, 404)


class Asker:
    """One of the columns, asking over HTTP."""

    def __init__(self, world: World, client: TestClient, who: str) -> None:
        self.world = world
        self.who = who
        self._client = client

    def ask(self, method: str, path: str, **sent: Any) -> Response:
        """The answer to a request under /v1."""
        answer: Response = self._client.request(
            method, f"/v1{path}", headers=self.world.headers[self.who], **sent
        )
        return answer

    def page(self, path: str, **query: str) -> Response:
        """The answer to asking for a page, or for a file of one."""
        headers = self.world.headers[self.who]
        answer: Response = self._client.get(path, headers=headers, params=query, follow_redirects=False)
        return answer

    def does(self, method: str, path: str, **sent: Any) -> bool:
        """Whether the request was done, and not refused; anything else is a mistake of the test."""
        answer = self.ask(method, path, **sent)
        assert answer.is_success or answer.status_code in REFUSED, answer.text
        return answer.is_success


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world for all cells: what is done in one does not matter in another."""
    home = tmp_path_factory.mktemp("matrix") / "home"
    services = build_services(
        Settings(home=home, processes=1, requests_per_minute=0), encoder=HashingEncoder(), passwords=CHEAP
    )
    yield World(services)
    services.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    """A client of the application over the world."""
    with TestClient(create_app(world.services), base_url="http://127.0.0.1:8000") as found:
        yield found


@pytest.fixture(scope="module")
def documents() -> dict[object, str]:
    """Documents that several cells can be tried on, by what they have in common."""
    return {}


# -- what is done -----------------------------------------------------------------------


def shared(world: World, branch_id: str, *, passed: bool = False) -> str:
    """A document of the branch that reaches the home, to be passed on or not; for operators and guests it does not."""
    if branch_id == HOME:
        return world.document(HOME, [Wanted("own"), Wanted(f"branch:{BESIDE}", passed)])
    if branch_id == PARTNERS[0]:
        return world.document(branch_id, [Wanted("partners", passed)])
    # A stranger's reaches the home by way of the partner alone.
    found = world.document(branch_id, [Wanted("partners", may_reshare=True)])
    by = world.keeper(PARTNERS[0])
    world.services.access.sharing.reshare(by, found, PARTNERS[0], [Wanted(f"branch:{HOME}", passed)])
    return found


def reaching(world: World, branch_id: str, reach: str) -> str:
    """A document of the branch that reaches the home so: "hidden" is its owner's alone."""
    if reach == "hidden":
        return world.document(branch_id, [])
    return shared(world, branch_id, passed=reach == "passed on")


def read(asker: Asker, branch_id: str, document_id: str) -> bool:
    """Open a document."""
    return asker.does("GET", f"/documents/{document_id}")


def copy(asker: Asker, branch_id: str, document_id: str) -> bool:
    """Copy a document into a branch of one's own that does not keep it."""
    into = BESIDE if branch_id == HOME else HOME
    return asker.does("POST", f"/documents/{document_id}/copies", json={"branch_id": into})


def reshare(asker: Asker, branch_id: str, document_id: str) -> bool:
    """Pass a document on to a partner, as a branch of one's own that does not keep it."""
    sent = {
        "branch_id": BESIDE if branch_id == HOME else HOME,
        "audience": [{"audience": f"branch:{PARTNERS[1]}"}],
    }
    return asker.does("POST", f"/documents/{document_id}/reshares", json=sent)


def withdraw(asker: Asker, branch_id: str, document_id: str) -> bool:
    """Take a document out."""
    return asker.does("DELETE", f"/documents/{document_id}")


def see_audience(asker: Asker, branch_id: str, document_id: str) -> bool:
    """See with whom its keeper shared a document."""
    answer = asker.ask("GET", f"/documents/{document_id}/audience")
    assert answer.is_success or answer.status_code in REFUSED, answer.text
    return answer.is_success and branch_id in [s["branch_id"] for s in answer.json()["audience"]]


def add(asker: Asker, branch_id: str) -> bool:
    """Hand a document in for a branch, for oneself at first."""
    name, text = f"{asker.world.name()}.txt", asker.world.text()
    return asker.does("PUT", f"/sources/{name}", params={"branch": branch_id}, content=text)


def share_within(asker: Asker, branch_id: str) -> bool:
    """Share a document with its own branch."""
    document_id = asker.world.document(branch_id, [Wanted("own")])
    sent = {"audience": [{"audience": "own", "may_reshare": True}]}
    return asker.does("PUT", f"/documents/{document_id}/audience", json=sent)


def share(asker: Asker, branch_id: str) -> bool:
    """Share a document beyond its branch."""
    sent = {"audience": [{"audience": "partners"}]}
    return asker.does("PUT", f"/documents/{shared(asker.world, branch_id)}/audience", json=sent)


def see_jobs(asker: Asker, branch_id: str) -> bool:
    """See how the work asked for by others in a branch stands."""
    jobs = asker.world.services.jobs
    job_id = jobs.ask(asker.world.keeper(branch_id), branch_id, [], [Wanted("own")])
    answer = asker.ask("GET", "/jobs")
    return answer.is_success and job_id in [j["job_id"] for j in answer.json()["jobs"]]


def partner(asker: Asker, branch_id: str) -> bool:
    """Offer a partnership for a branch."""
    ends_on = asker.world.services.today().isoformat()
    sent = {"proposer_id": branch_id, "partner_id": asker.world.branch(), "ends_on": ends_on}
    return asker.does("POST", "/partnerships", json=sent)


def group(asker: Asker, branch_id: str) -> bool:
    """Make a group that a branch keeps."""
    return asker.does("POST", "/groups", json={"branch_id": branch_id, "name": asker.world.name()})


def see_people(asker: Asker, branch_id: str) -> bool:
    """See the people of a branch."""
    return asker.does("GET", f"/branches/{branch_id}/people")


def manage_people(asker: Asker, branch_id: str) -> bool:
    """Give a person of a branch other roles there."""
    person_id = asker.world.person(branch_id)
    return asker.does("PUT", f"/branches/{branch_id}/people/{person_id}", json={"roles": ["trainer"]})


def manage_branch(asker: Asker, branch_id: str) -> bool:
    """Give a branch another name."""
    return asker.does("PATCH", f"/branches/{branch_id}", json={"name": asker.world.name()})


def see_audit(asker: Asker, branch_id: str) -> bool:
    """See in the trail what others did in a branch."""
    group_id = asker.world.group(branch_id)
    answer = asker.ask("GET", "/audit", params={"object_id": group_id})
    return answer.is_success and bool(answer.json()["events"])


def quiz(asker: Asker, branch_id: str) -> bool:
    """Put a question into the bank of a branch."""
    question = {"type": "blank", "stem": f"{asker.world.name()}由（　　）组织。", "answer": ["本支部"]}
    return asker.does("POST", "/questions", json={"branch_id": branch_id, "questions": [question]})


def see_results(asker: Asker, branch_id: str) -> bool:
    """See by name how people of a branch did, as the file that its trainer takes away."""
    world = asker.world
    paper_id = world.paper(branch_id, [world.question(branch_id)])
    exam_id = world.exam(paper_id, branch_id)
    answer = asker.page(f"/manage/exams/{exam_id}/results.csv", branch=branch_id)
    assert answer.is_success or answer.status_code in REFUSED, answer.text
    return answer.is_success and "姓名" in answer.text


def write_case(asker: Asker, branch_id: str) -> bool:
    """Change a case that a branch is writing, after beginning one there."""
    begun = asker.does("POST", "/cases", json={"branch_id": branch_id})
    path = f"/cases/{asker.world.case_in_review(branch_id)}/form"
    written = asker.does("PUT", f"{path}/background", json={"text": "三个班轮着来。", "base": 0})
    assert begun == written == asker.does("GET", path)
    return begun


def review_case(asker: Asker, branch_id: str) -> bool:
    """Find a case of a branch fit to be published."""
    case_id = asker.world.case_in_review(branch_id)
    revision = asker.world.services.cases.drafts.form(asker.world.keeper(branch_id), case_id).revision
    return asker.does("POST", f"/cases/{case_id}/approve", json={"revision": revision})


def speak(asker: Asker, branch_id: str) -> bool:
    """Say something of a case that everyone sees, and ask partners, for a branch."""
    case_id = asker.world.case(PARTNERS[0] if branch_id == HOME else HOME)
    said = {"branch_id": branch_id, "text": "想知道花了多少人工。"}
    done = asker.does("POST", f"/cases/{case_id}/feedback", json=said)
    asked = {"branch_id": branch_id, "problem": f"{asker.world.name()}怎么办", "audience": ["partners"]}
    assert done == asker.does("POST", "/case-questions", json=asked)
    adopted = {"branch_id": branch_id, "progress": "planned"}
    assert done == asker.does("POST", f"/cases/{case_id}/adoptions", json=adopted)
    return done


TO_DOCUMENTS: Mapping[Action, Callable[[Asker, str, str], bool]] = {
    Action.READ: read,
    Action.COPY: copy,
    Action.RESHARE: reshare,
    Action.WITHDRAW: withdraw,
    Action.SEE_AUDIENCE: see_audience,
}
"""What is done to a document that one may see or not."""

TO_BRANCHES: Mapping[Action, Callable[[Asker, str], bool]] = {
    Action.ADD: add,
    Action.SHARE_WITHIN: share_within,
    Action.SHARE: share,
    Action.SEE_JOBS: see_jobs,
    Action.PARTNER: partner,
    Action.GROUP: group,
    Action.SEE_PEOPLE: see_people,
    Action.MANAGE_PEOPLE: manage_people,
    Action.MANAGE_BRANCH: manage_branch,
    Action.SEE_AUDIT: see_audit,
    Action.QUIZ: quiz,
    Action.SEE_RESULTS: see_results,
    Action.WRITE_CASE: write_case,
    Action.REVIEW_CASE: review_case,
    Action.SPEAK: speak,
}
"""What is done in a branch."""


def cell(action: Action, who: str, relation: Relation) -> Grant:
    """What the table says of a column: of a role, of operators, of guests."""
    if who == OPERATOR:
        return Grant.YES if action in OPERATORS else Grant.NO
    return Grant.NO if who == GUEST else granted(action, Role(who), relation)


# -- the cells --------------------------------------------------------------------------


def test_every_action_is_tried() -> None:
    """No action of the table is left out below."""
    assert {*TO_DOCUMENTS, *TO_BRANCHES} == set(Action)


@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("who", COLUMNS)
@pytest.mark.parametrize("action", TO_BRANCHES)
def test_in_branches(world: World, client: TestClient, action: Action, who: str, relation: Relation) -> None:
    """In a branch one may do what the table says, and nothing else."""
    done = TO_BRANCHES[action](Asker(world, client, who), BRANCHES[relation])
    assert done == (cell(action, who, relation) is Grant.YES)


@pytest.mark.parametrize("reach", ["hidden", "shared", "passed on"])
@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("who", COLUMNS)
@pytest.mark.parametrize("action", TO_DOCUMENTS)
def test_to_documents(
    world: World,
    client: TestClient,
    documents: dict[object, str],
    action: Action,
    who: str,
    relation: Relation,
    reach: str,
) -> None:
    """To a document that is hidden, shared, or shared to be passed on, one may do what the table says then."""
    branch_id = BRANCHES[relation]
    key = action in (Action.COPY, Action.WITHDRAW) and (action, who), branch_id, reach
    if key not in documents:
        documents[key] = reaching(world, branch_id, reach)
    enough = {Grant.NO: (), Grant.SHARED: ("shared", "passed on"), Grant.PASSED: ("passed on",)}
    expected = reach in enough[cell(action, who, relation)]
    assert TO_DOCUMENTS[action](Asker(world, client, who), branch_id, documents[key]) == expected


@pytest.mark.parametrize("who", COLUMNS)
@pytest.mark.parametrize("relation", Relation)
def test_what_everyone_may_read(world: World, client: TestClient, who: str, relation: Relation) -> None:
    """What is shared with everyone is read by everyone, and gives guests and operators no other right."""
    branch_id = BRANCHES[relation]
    document_id = world.document(branch_id, [Wanted("everyone")])
    asker = Asker(world, client, who)
    assert read(asker, branch_id, document_id)
    if who in (GUEST, OPERATOR):
        for action in TO_DOCUMENTS.keys() - {Action.READ}:
            assert not TO_DOCUMENTS[action](asker, branch_id, document_id), action


# -- powers of tokens -------------------------------------------------------------------


@pytest.mark.parametrize("action", [Action.WRITE_CASE, Action.REVIEW_CASE, Action.SPEAK])
def test_a_token_works_on_cases_by_the_power_of_writing(
    world: World, client: TestClient, action: Action
) -> None:
    """What is done over cases takes a token that may write; one that only reads does none of it."""
    person_id = world.people[Role.LIAISON.value]
    made = {
        f"only {name}": bearer(world.services, person_id, powers)
        for name, powers in (
            ("reads", frozenset({Power.READ})),
            ("writes", frozenset({Power.READ, Power.WRITE})),
        )
    }
    world.headers.update(made)
    assert not TO_BRANCHES[action](Asker(world, client, "only reads"), HOME)
    assert TO_BRANCHES[action](Asker(world, client, "only writes"), HOME)


# -- sitting ----------------------------------------------------------------------------


@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("who", COLUMNS)
def test_whoever_is_in_the_branch_sits_what_is_given_to_it(
    world: World, client: TestClient, documents: dict[object, str], who: str, relation: Relation
) -> None:
    """An exam is sat by everyone whom its audience reaches, whatever their role, and is there for nobody else."""
    branch_id = BRANCHES[relation]
    if ("exam", branch_id) not in documents:
        paper_id = world.paper(branch_id, [world.question(branch_id)])
        documents["exam", branch_id] = world.exam(paper_id, branch_id)
    exam_id, asker = documents["exam", branch_id], Asker(world, client, who)
    sits = relation is Relation.OWN and who not in (OPERATOR, GUEST)
    assert asker.does("GET", f"/exams/{exam_id}") == sits
    assert asker.does("POST", f"/exams/{exam_id}/attempts") == sits


@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("who", COLUMNS)
def test_marks_are_given_by_who_may_ask(
    world: World, client: TestClient, who: str, relation: Relation
) -> None:
    """An answer in words is marked by whoever makes questions for the branch that gave the exam."""
    branch_id = BRANCHES[relation]
    exam_id = world.exam(world.paper(branch_id, [world.question(branch_id)]), branch_id)
    sitter = world.person(branch_id)
    attempt_id = world.attempt(sitter, exam_id)
    world.services.quiz.attempts.submit(principal(world.services, sitter), attempt_id)
    done = Asker(world, client, who).does("PUT", f"/attempts/{attempt_id}/marks/1", json={"share": 1.0})
    assert done == (cell(Action.QUIZ, who, relation) is Grant.YES)
