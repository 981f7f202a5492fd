"""What is kept of a person, told to that person; nothing is kept of a person that is not told here."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, or_, select

from access.office import Office
from access.principal import Principal
from access.tables import (
    audit,
    branches,
    group_members,
    groups,
    invitations,
    jobs,
    partnerships,
    people,
    roles,
    sessions,
    tokens,
)
from kb.errors import SignInRequired
from store.tables import documents, shares, tombstones
from store.visibility import visible


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person can sign in with."""

    has_password: bool
    has_provider: bool
    has_second_factor: bool
    n_recovery_codes: int


def credentials(office: Office, by: Principal) -> Credentials:
    """What the person who is signed in, settled or not, can sign in with.

    Raises:
        SignInRequired: nobody is signed in.
    """
    with office.reading() as connection:
        return _credentials(_person(connection, by))


def everything(office: Office, by: Principal) -> dict[str, Any]:
    """All that is kept of the person who is signed in, but for the secrets themselves; fit for JSON.

    Of others there is nothing in it but the ids of what the person did to them. Who did something to
    this person is not told.

    Raises:
        SignInRequired, Refused: nobody is signed in, or not settled.
    """
    me = by.require_person()
    with office.reading() as connection:
        row = _person(connection, by)

        def rows(statement: Select[Any]) -> list[dict[str, Any]]:
            return [dict(r) for r in connection.execute(statement).mappings()]

        g, i, s, t = group_members.c, invitations.c, sessions.c, tokens.c
        elsewhere = [part.told(connection, by, office.now()) for part in office.personal_data]
        return {
            "person": {
                "person_id": me,
                "login": row.login,
                "name": row.name,
                "operator": row.operator,
                "active": row.active,
                "must_change_password": row.change_password,
                "added_at": row.added_at,
                "provider_subject": row.subject,
                **asdict(_credentials(row)),
            },
            "roles": rows(
                select(roles.c.branch_id, branches.c.name, roles.c.role)
                .join_from(roles, branches)
                .where(roles.c.person_id == me)
            ),
            "groups": rows(
                select(g.group_id, groups.c.name)
                .join_from(group_members, groups)
                .where(g.member == f"person:{me}")
            ),
            "liaison_of": rows(
                select(partnerships.c.partnership_id).where(
                    or_(partnerships.c.proposer_liaison == me, partnerships.c.partner_liaison == me)
                )
            ),
            "sessions": rows(select(s.began_at, s.seen_at, s.expires_at).where(s.person_id == me)),
            "tokens": rows(
                select(t.token_id, t.name, t.powers, t.added_at, t.expires_at, t.used_on).where(
                    t.person_id == me
                )
            ),
            "invitations_made": rows(
                select(i.invitation_id, i.branch_id, i.roles, i.expires_at, i.accepted_at).where(
                    i.invited_by == me
                )
            ),
            "documents_owned": rows(
                select(
                    documents.c.document_id,
                    # What the person may no longer read has no title here either.
                    case((visible(by.scope), documents.c.title)).label("title"),
                    documents.c.added_at,
                ).where(documents.c.owner_id == me)
            ),
            "shares_made": rows(
                select(shares.c.share_id, shares.c.document_id, shares.c.audience, shares.c.shared_at).where(
                    shares.c.shared_by == me
                )
            ),
            "withdrawn": rows(
                select(tombstones.c.document_id, tombstones.c.removed_at, tombstones.c.reason).where(
                    tombstones.c.removed_by == me
                )
            ),
            "jobs": rows(select(jobs).where(jobs.c.person_id == me)),
            **{name: found for told in elsewhere for name, found in told.items()},
            "audit": [_entry(r, me) for r in connection.execute(_about(me))],
        }


def _person(connection: Connection, by: Principal) -> Any:
    row = connection.execute(select(people).where(people.c.person_id == by.person_id)).first()
    if row is None:
        raise SignInRequired("Cannot tell what is kept: nobody is signed in.", "Sign in first.")
    return row


def _credentials(row: Any) -> Credentials:
    has_second_factor = row.totp_secret is not None
    return Credentials(
        row.password is not None,
        row.subject is not None,
        has_second_factor,
        # Before there is one, this place holds the offer.
        len(row.recovery) if has_second_factor else 0,
    )


def _about(person_id: str) -> Select[Any]:
    """The entries of the trail that the person made, and those about the person."""
    return (
        select(audit)
        .where(or_(audit.c.person_id == person_id, audit.c.object_id == person_id))
        .order_by(audit.c.seq)
    )


def _entry(row: Any, person_id: str) -> dict[str, Any]:
    return {
        "at": row.at,
        "by_yourself": row.person_id == person_id,
        "action": row.action,
        "branch_id": row.branch_id,
        "object_kind": row.object_kind,
        "object_id": row.object_id,
        "detail": json.loads(row.detail),
    }
