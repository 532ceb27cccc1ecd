"""What a request needs: somebody who may read, write, administer. Used as dependencies of operations."""

import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from hub.accounts.errors import Unauthenticated
from hub.http.authentication import SAFE_METHODS
from schemas.accounts import Principal, Role, Scope, Session
from schemas.errors import Forbidden, Invalid
from schemas.events import Actor
from schemas.sentences import said

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"

# Only for the OpenAPI document: the middleware has looked at both already.
key_scheme = HTTPBearer(auto_error=False, scheme_name="key", description="an API key: `hk_…`")
session_scheme = APIKeyCookie(
    name="hubbub_session",
    auto_error=False,
    scheme_name="session",
    description="the console's cookie (`__Host-hubbub` over HTTPS); writes need `X-CSRF-Token`",
)


class CsrfRefused(Forbidden):
    """A write with a cookie, without the token of its session."""


class PasswordChangeRequired(Forbidden):
    """A one-time password opens nothing but the change of it."""


class SecondFactorRequired(Forbidden):
    """A role of theirs must have a second factor: a session without opens nothing but setting one up."""


async def require_csrf(request: Request) -> None:
    """For writes with a cookie: the session's token in `X-CSRF-Token`, or in the form field `csrf`. Raises CsrfRefused."""
    session: Session | None = request.state.session
    if session is None or request.method in SAFE_METHODS:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(FORM_TYPES):
        field = (await request.form()).get(CSRF_FIELD, "")
        given = field if isinstance(field, str) else ""
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise CsrfRefused("the CSRF token is missing or old; reload the page and try again")


def signed_in(request: Request) -> Principal:
    """Whoever it is, even with a one-time password."""
    principal: Principal | None = request.state.principal
    if principal is None:
        raise Unauthenticated("sign in, or send an API key as `Authorization: Bearer hk_…`")
    return principal


async def somebody(
    request: Request,
    _key: Annotated[object, Depends(key_scheme)] = None,
    _session: Annotated[object, Depends(session_scheme)] = None,
) -> Principal:
    principal = signed_in(request)
    if request.state.must_change_password:
        raise PasswordChangeRequired("change your one-time password first: POST /api/v1/session/password")
    if request.state.must_set_up_factor:
        raise SecondFactorRequired(
            "your role must have a second factor; set one up: POST /api/v1/session/second-factor"
        )
    await require_csrf(request)
    return principal


async def own_session(request: Request) -> Session:
    """The session of who signed in, whatever else they still have to do; keys and operators have none."""
    signed_in(request)
    await require_csrf(request)
    session: Session | None = request.state.session
    if session is None:
        raise Invalid("only who signed in with a browser has an account to change")
    return session


def reader(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    return _with_scope(principal, Scope.READ)


def writer(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    return _with_scope(principal, Scope.WRITE)


def subscriber(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    """The log is not filtered by queue, so it needs the scope `events` and a role in every queue."""
    if principal.queues() is not None:
        raise Forbidden("reading the log needs a role in every queue ('*')")
    return _with_scope(principal, Scope.EVENTS)


def supervisor(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    return must(principal, Right.LOOK)


def settler(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    return must(principal, Right.SETTLE)


def configurer(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    return must(principal, Right.CONFIGURE)


def administrator(principal: Annotated[Principal, Depends(somebody)]) -> Principal:
    return must(principal, Right.ADMINISTER)


def actor(principal: Annotated[Principal, Depends(somebody)]) -> Actor:
    """The principal as events name them."""
    kind = {"agent": "agent", "key": "integrator"}.get(principal.kind, "system")
    return Actor(kind=kind, id=principal.id, name=principal.name)


def _with_scope(principal: Principal, scope: Scope) -> Principal:
    if scope not in principal.scopes:
        raise Forbidden(said("this key lacks the scope '{scope}'", scope=scope))
    return principal


class Right(StrEnum):
    """What somebody may do who works for all queues. The API and the console look here, and nowhere else."""

    LOOK = "look"  # letters, health, exports: what stands beside the cases
    SETTLE = "settle"  # play letters again, or give them up
    CONFIGURE = "configure"  # queues, rules, templates, hours and automations
    ADMINISTER = "administer"


NEEDED: Mapping[Right, tuple[Role, Scope]] = {
    Right.LOOK: (Role.SUPERVISOR, Scope.READ),
    Right.SETTLE: (Role.SUPERVISOR, Scope.ADMIN),
    Right.CONFIGURE: (Role.SUPERVISOR, Scope.ADMIN),
    Right.ADMINISTER: (Role.ADMIN, Scope.ADMIN),
}
"""The role in every queue, and the scope that a key needs besides; a person who signs in has every scope."""


def must(principal: Principal, right: Right) -> Principal:
    """Raises Forbidden, saying what is missing."""
    role, scope = NEEDED[right]
    return _at_least(_with_scope(principal, scope), role)


def _at_least(principal: Principal, role: Role) -> Principal:
    if not principal.is_at_least(role):
        raise Forbidden(said("this needs the role {role} in every queue ('*')", role=role))
    return principal


OwnSession = Annotated[Session, Depends(own_session)]
Somebody = Annotated[Principal, Depends(somebody)]
Reader = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
Subscriber = Annotated[Principal, Depends(subscriber)]
Supervisor = Annotated[Principal, Depends(supervisor)]
Settler = Annotated[Principal, Depends(settler)]
Configurer = Annotated[Principal, Depends(configurer)]
Administrator = Annotated[Principal, Depends(administrator)]
Acting = Annotated[Actor, Depends(actor)]
