"""The ways into one's own account: the second factor, and what single sign-on leads there."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from hub.accounts import Unauthenticated
from hub.accounts.totp import qr_svg
from hub.accounts.users import actor_of
from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.problems import responses
from hub.http.requests import Operation, keep_instead
from hub.http.rights import OwnSession, Somebody
from hub.http.session import Code, Password
from schemas.accounts import User
from schemas.errors import Invalid, Unknown

SHOWN_ONCE = "(shown once)"

ways = APIRouter(prefix="/api/v1/session", tags=["session"], route_class=Operation)
router = APIRouter(
    prefix="/api/v1/session/second-factor",
    tags=["session"],
    route_class=Operation,
    responses=responses(401, 403, 422, 429),
)


class FactorOut(BaseModel):
    set_up: bool
    since: datetime | None
    recovery_codes_left: int
    required: bool = Field(description="a role of yours must have one")


class FactorBegin(Body):
    password: Password


class FactorOffer(BaseModel):
    """For an authenticator app. Shown once."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(BaseModel):
    """Each is good once, instead of a code. Shown once; keep them where the device is not."""

    recovery_codes: tuple[str, ...]


@router.get("", summary="One's second factor")
async def show_factor(context: Context, request: Request, session: OwnSession) -> FactorOut:
    user: User = request.state.user
    factor = user.second_factor
    return FactorOut(
        set_up=factor is not None,
        since=factor.since if factor else None,
        recovery_codes_left=len(factor.recovery) if factor else 0,
        required=context.accounts.factors.is_required(user),
    )


@router.post("", summary="Begin to set up a second factor")
async def begin_factor(
    context: Context, request: Request, session: OwnSession, body: FactorBegin
) -> FactorOffer:
    """One in use stays in use until a code of the new one is confirmed."""
    await context.accounts.prove(session, body.password)
    offer = await context.accounts.factors.offer(session.user)
    keep_instead(request, FactorOffer(secret=SHOWN_ONCE, uri="", qr_svg="").model_dump_json().encode())
    return FactorOffer(secret=offer.secret, uri=offer.uri, qr_svg=qr_svg(offer.uri))


@router.post("/confirm", summary="Confirm it by a code")
async def confirm_factor(
    context: Context, request: Request, session: OwnSession, body: Code
) -> RecoveryCodes:
    """From now on a sign-in by password asks for a code. Other sessions of yours end."""
    codes = await context.accounts.confirm_factor(session, body.code)
    _keep_no_codes(request)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/recovery-codes", summary="Make new recovery codes")
async def renew_codes(context: Context, request: Request, session: OwnSession, body: Code) -> RecoveryCodes:
    """The old ones are no longer good."""
    user = await _by_code(context, session.user, body.code)
    codes = await context.accounts.factors.renew_recovery(user.name, actor_of(user))
    _keep_no_codes(request)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/drop", summary="Give up one's second factor", status_code=204)
async def drop_factor(context: Context, session: OwnSession, body: Code) -> None:
    """Not where a role of yours must have one."""
    user = await _by_code(context, session.user, body.code)
    await context.accounts.factors.drop(user.name, actor_of(user))


async def _by_code(context: Context, name: str, code: str) -> User:
    try:
        return await context.accounts.use_code(name, code)
    except Unauthenticated as error:
        raise Invalid("nothing was changed", {"body.code": str(error)}) from None


def _keep_no_codes(request: Request) -> None:
    keep_instead(request, RecoveryCodes(recovery_codes=(SHOWN_ONCE,)).model_dump_json().encode())


class ProviderOut(BaseModel):
    """Where one may sign in by single sign-on. `url` is opened by a browser, which comes back signed in."""

    name: str
    title: str
    url: str


class IdentityOut(BaseModel):
    id: UUID
    issuer: str
    since: datetime


@ways.get("/providers", summary="Providers of single sign-on", responses=responses(401))
async def providers(context: Context) -> list[ProviderOut]:
    """For who is not signed in yet."""
    held = context.single_sign_on
    base = f"{context.facts.public_url}/console/sign-in/openid"
    return [
        ProviderOut(name=name, title=each.title, url=f"{base}/{name}")
        for name, each in (held.settings.items() if held is not None else ())
    ]


@ways.get("/identities", summary="One's own single sign-ons", responses=responses(401, 403))
async def own_identities(context: Context, principal: Somebody) -> list[IdentityOut]:
    if principal.kind != "agent":
        return []
    found = await context.accounts.identities.of(principal.id)
    return [IdentityOut(id=each.id, issuer=each.issuer, since=each.since) for each in found]


@ways.delete(
    "/identities/{item}",
    summary="Take a single sign-on off",
    status_code=204,
    responses=responses(401, 403, 404, 422),
)
async def remove_identity(context: Context, request: Request, principal: Somebody, item: UUID) -> None:
    """Not the last way in of who has no password."""
    user: User | None = request.state.user
    if user is None:
        raise Unknown("there is no such sign-on of this user")
    await context.accounts.identities.remove(user, item)
