"""Signing in to the console, and one's own account."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from hub.accounts import SignedIn, Throttled, Unauthenticated
from hub.accounts.sessions import principal_of
from hub.http.authentication import cookie_name
from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.context import AppContext
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import OwnSession, Somebody, require_csrf, signed_in
from hub.observe import Metric
from schemas.accounts import Role, Scope, Session, User
from schemas.errors import Unknown
from schemas.events import Actor

router = APIRouter(prefix="/api/v1/session", tags=["session"], route_class=Operation)

Password = Annotated[str, Field(min_length=1, max_length=1000)]


class SignIn(Body):
    name: str = Field(min_length=1, max_length=100, examples=["ines"])
    password: Password = Field(examples=["kx4p-7mqa-29df"])


class Code(Body):
    code: str = Field(min_length=6, max_length=40, examples=["123456"])


class PasswordChange(Body):
    old_password: Password = Field(
        default="", description="may be left out right after signing in with a one-time password"
    )
    password: Password


class WhoAmI(BaseModel):
    """Who is asking, and what they may do. `csrf` goes into `X-CSRF-Token` with each write by cookie."""

    kind: str = Field(examples=["agent"])
    id: str = Field(examples=["ines"])
    name: str = Field(examples=["Ines Vega"])
    roles: dict[str, Role] = Field(examples=[{"orders": "agent"}])
    scopes: list[Scope]
    must_change_password: bool
    must_set_up_factor: bool = Field(
        default=False, description="a role must have a second factor, and there is none"
    )
    csrf: str | None


class SignedInOut(WhoAmI):
    """`awaits_code`: the password was right, and a code has to follow (POST /api/v1/session/code). Until then nothing opens."""

    awaits_code: bool


class SessionOut(BaseModel):
    """One of your sessions. `current` marks the one that asks."""

    id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str
    provider: str = Field(description="of the single sign-on; empty: by password")
    current: bool

    @classmethod
    def of(cls, session: Session, current: UUID | None) -> "SessionOut":
        taken = {name: getattr(session, name) for name in cls.model_fields if name != "current"}
        return cls(current=session.id == current, **taken)


class SessionsEnded(BaseModel):
    ended: int = Field(description="how many")


async def sign_in_with(
    context: AppContext, request: Request, name: str, password: str
) -> tuple[str, Session, User]:
    """Sign in and count how it went. The console's page uses it too."""
    address, agent = request.state.address, request.headers.get("user-agent", "")
    with _counted(context):
        return await context.accounts.sign_in(name, password, address, agent)


async def enter_code_with(context: AppContext, request: Request, code: str) -> tuple[str, Session, User]:
    """The code after the password, and count how it went. The console's page uses it too."""
    address, agent = request.state.address, request.headers.get("user-agent", "")
    with _counted(context):
        return await context.accounts.enter_code(cookie_token(context, request), code, address, agent)


@contextmanager
def _counted(context: AppContext) -> Iterator[None]:
    try:
        yield
    except Throttled:
        context.metrics.add(Metric.SIGN_INS, outcome="throttled")
        raise
    except Unauthenticated:
        context.metrics.add(Metric.SIGN_INS, outcome="refused")
        raise
    context.metrics.add(Metric.SIGN_INS, outcome="succeeded")


def set_cookie(context: AppContext, response: Response, token: str, session: Session) -> None:
    """Lax, not Strict: a link to a case in a mail opens it. Writes are held by the CSRF token and the Origin besides."""
    seconds = int((session.expires_at - session.created_at).total_seconds())
    response.set_cookie(
        cookie_name(context.facts),
        token,
        max_age=seconds,
        path="/",
        secure=context.facts.is_https,
        httponly=True,
        samesite="lax",
    )
    response.headers["Cache-Control"] = "no-store"


def drop_cookie(context: AppContext, response: Response) -> None:
    response.delete_cookie(
        cookie_name(context.facts), path="/", secure=context.facts.is_https, httponly=True, samesite="lax"
    )


def cookie_token(context: AppContext, request: Request) -> str:
    return request.cookies.get(cookie_name(context.facts), "")


def _signed_in_out(context: AppContext, session: Session, user: User) -> SignedInOut:
    waits = session.awaits_code
    principal = principal_of(user)
    return SignedInOut(
        kind="agent",
        id=user.name,
        name=principal.name,
        roles={} if waits else user.roles,
        scopes=[] if waits else sorted(Scope),
        must_change_password=user.must_change_password,
        must_set_up_factor=context.accounts.must_set_up_factor(SignedIn(principal, session, user)),
        csrf=None if waits else session.csrf,
        awaits_code=waits,
    )


@router.post("", summary="Sign in", status_code=201, responses=responses(401, 422, 429, 503))
async def sign_in(context: Context, request: Request, response: Response, body: SignIn) -> SignedInOut:
    """Sets the session's cookie. It is not told whether the name or the password was wrong."""
    token, session, user = await sign_in_with(context, request, body.name, body.password)
    set_cookie(context, response, token, session)
    return _signed_in_out(context, session, user)


@router.post("/code", summary="Enter the code", status_code=201, responses=responses(401, 422, 429, 503))
async def enter_code(context: Context, request: Request, response: Response, body: Code) -> SignedInOut:
    """The code of the second factor, or a recovery code, within five minutes of the password. Sets another cookie."""
    token, session, user = await enter_code_with(context, request, body.code)
    set_cookie(context, response, token, session)
    return _signed_in_out(context, session, user)


@router.get("", summary="Who am I", responses=responses(401))
async def who_am_i(request: Request, response: Response) -> WhoAmI:
    principal = signed_in(request)
    session: Session | None = request.state.session
    response.headers["Cache-Control"] = "no-store"
    return WhoAmI(
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        roles=principal.roles,
        scopes=sorted(principal.scopes),
        must_change_password=request.state.must_change_password,
        must_set_up_factor=request.state.must_set_up_factor,
        csrf=session.csrf if session else None,
    )


@router.delete("", summary="Sign out", status_code=204, responses=responses(401, 403))
async def sign_out(context: Context, request: Request, response: Response) -> None:
    signed_in(request)
    await require_csrf(request)
    if request.state.session is not None:
        await context.accounts.sign_out(request.state.session)
    drop_cookie(context, response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


@router.post(
    "/password", summary="Change one's password", status_code=204, responses=responses(401, 403, 422, 429)
)
async def change_password(context: Context, session: OwnSession, body: PasswordChange) -> None:
    """All other sessions of yours end."""
    await context.accounts.change_password(session, body.old_password, body.password)


@router.get("s", summary="One's own sessions", responses=responses(401, 403))
async def own_sessions(context: Context, request: Request, principal: Somebody) -> list[SessionOut]:
    if principal.kind != "agent":
        return []
    current = request.state.session.id
    sessions = (await context.accounts.sessions.list(principal.id, limit=200)).items
    return [SessionOut.of(each, current) for each in sessions]


@router.delete("s", summary="End one's other sessions", responses=responses(401, 403))
async def end_own_other_sessions(context: Context, request: Request, principal: Somebody) -> SessionsEnded:
    """All but the one that asks. What they follow ends too."""
    if principal.kind != "agent":
        return SessionsEnded(ended=0)
    actor = Actor(kind="agent", id=principal.id, name=principal.name)
    current = request.state.session.id
    return SessionsEnded(ended=await context.accounts.sessions.revoke_others(principal.id, current, actor))


@router.delete(
    "s/{session}", summary="End one of one's sessions", status_code=204, responses=responses(401, 403, 404)
)
async def end_own_session(context: Context, principal: Somebody, session: UUID) -> None:
    found = await context.accounts.sessions.get(session)
    if principal.kind != "agent" or found.user != principal.id:
        raise Unknown("there is no such session, or it is over")
    await context.accounts.sessions.revoke(session, Actor(kind="agent", id=principal.id, name=principal.name))
