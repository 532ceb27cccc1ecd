"""Users, API keys and sessions, as administrators see them; and the audit trail."""

import hmac
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.paging import PageOf, Pages
from hub.http.problems import responses
from hub.http.requests import Operation, keep_instead
from hub.http.rights import Acting, Administrator
from hub.http.session import SessionOut
from hub.leaving import give_back
from schemas.accounts import ApiKey, Role, Scope, User
from schemas.events import Actor
from schemas.parking import Audited
from schemas.topics import Topic

SHOWN_ONCE = "(shown once)"

router = APIRouter(
    prefix="/api/v1", tags=["accounts"], route_class=Operation, responses=responses(401, 403, 404, 409, 422)
)

Name = Annotated[str, Path(max_length=63, examples=["ines"])]
QueueName = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,62})$")]
Roles = Annotated[
    dict[QueueName, Role],
    Field(
        max_length=200, description="queue, or `*` for all, to the role there", examples=[{"orders": "agent"}]
    ),
]


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class UserOut(Shown):
    name: str
    title: str
    address: str
    roles: dict[str, Role]
    active: bool
    must_change_password: bool
    created_at: datetime
    recent_failures: int = Field(description="failed sign-ins of the last day since the last good one")
    has_second_factor: bool

    @classmethod
    def of(cls, user: User) -> "UserOut":
        made = {"recent_failures", "has_second_factor"}
        taken = {name: getattr(user, name) for name in cls.model_fields if name not in made}
        failures, has_factor = len(user.failed_sign_ins), user.second_factor is not None
        return cls(recent_failures=failures, has_second_factor=has_factor, **taken)


class NewUser(Body):
    name: str = Field(max_length=63, examples=["ines"])
    title: str = Field(default="", max_length=200, description="as others read it", examples=["Ines Vega"])
    address: str = Field(default="", max_length=320, examples=["ines@acme.example"])
    roles: Roles = Field(default_factory=dict)


class UserCreated(BaseModel):
    """`one_time_password` is shown once; it opens nothing but the change of it."""

    user: UserOut
    one_time_password: str


class UserChange(Body):
    """What is not given stays."""

    title: str | None = Field(default=None, max_length=200)
    address: str | None = Field(default=None, max_length=320)
    roles: Roles | None = None
    active: bool | None = None


class OneTimePassword(BaseModel):
    one_time_password: str


class KeyOut(Shown):
    id: UUID
    name: str
    prefix: str
    last_four: str
    scopes: tuple[Scope, ...]
    roles: dict[str, Role]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        return cls.model_validate(key)


class NewKey(Body):
    name: str = Field(min_length=1, max_length=100, examples=["warehouse"])
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=10)
    roles: Roles = Field(default_factory=dict)
    expires_at: AwareDatetime | None = None


class KeyCreated(BaseModel):
    """`secret` is the key as it is sent in `Authorization: Bearer …`; it is shown once."""

    key: KeyOut
    secret: str


class AuditOut(BaseModel):
    """Who did what that is not a change of a case."""

    id: UUID
    time: datetime
    actor: Actor
    action: str
    subject: str
    detail: dict[str, str]


@router.get("/users", summary="List users")
async def list_users(context: Context, principal: Administrator, pages: Pages) -> PageOf[UserOut]:
    return pages.page(await context.accounts.users.list(pages.limit, pages.after), UserOut.of)


@router.post("/users", summary="Create a user", status_code=201)
async def create_user(
    context: Context, request: Request, principal: Administrator, actor: Acting, body: NewUser
) -> UserCreated:
    user, password = await context.accounts.users.create(
        body.name, body.roles, actor, body.title, body.address
    )
    shown = UserOut.of(user)
    kept = UserCreated(user=shown, one_time_password=SHOWN_ONCE)
    keep_instead(request, kept.model_dump_json().encode())
    return UserCreated(user=shown, one_time_password=password)


@router.get("/users/{name}", summary="Show a user")
async def show_user(context: Context, principal: Administrator, name: Name) -> UserOut:
    return UserOut.of(await context.accounts.users.get(name))


@router.patch("/users/{name}", summary="Change a user, or its roles")
async def change_user(
    context: Context, principal: Administrator, actor: Acting, name: Name, body: UserChange
) -> UserOut:
    """Holds from the user's next request on. `active: false` ends what the user may do, and gives their open cases back to
    the queues; the name stays on what was done."""
    user = await context.accounts.users.update(
        name, actor, roles=body.roles, title=body.title, address=body.address, active=body.active
    )
    if not user.active:
        await give_back(context.engine, context.service, user.name, actor)
    return UserOut.of(user)


@router.post("/users/{name}/password", summary="Give a user a one-time password")
async def reset_password(
    context: Context, request: Request, principal: Administrator, actor: Acting, name: Name
) -> OneTimePassword:
    """The old password is no longer good, and the user's sessions end."""
    user = await context.accounts.users.get(name)
    password = await context.accounts.users.reset_password(user.name, actor)
    await context.accounts.sessions.revoke_others(user.name, None, actor)
    keep_instead(request, OneTimePassword(one_time_password=SHOWN_ONCE).model_dump_json().encode())
    return OneTimePassword(one_time_password=password)


@router.delete("/users/{name}/second-factor", summary="Take a user's second factor off", status_code=204)
async def reset_factor(context: Context, principal: Administrator, actor: Acting, name: Name) -> None:
    """For who lost device and recovery codes. The user's sessions end; it is recorded in the audit trail."""
    await context.accounts.reset_factor(name, actor)


@router.get("/users/{name}/sessions", summary="Sessions of a user")
async def user_sessions(
    context: Context, principal: Administrator, name: Name, pages: Pages
) -> PageOf[SessionOut]:
    user = await context.accounts.users.get(name)
    page = await context.accounts.sessions.list(user.name, pages.limit, pages.after)
    return pages.page(page, lambda each: SessionOut.of(each, None))


@router.delete("/users/{name}/sessions", summary="End all sessions of a user", status_code=204)
async def end_sessions(context: Context, principal: Administrator, actor: Acting, name: Name) -> None:
    user = await context.accounts.users.get(name)
    await context.accounts.sessions.revoke_others(user.name, None, actor)


@router.get("/keys", summary="List API keys")
async def list_keys(context: Context, principal: Administrator, pages: Pages) -> PageOf[KeyOut]:
    return pages.page(await context.accounts.keys.list(pages.limit, pages.after), KeyOut.of)


@router.post("/keys", summary="Create an API key", status_code=201)
async def create_key(
    context: Context, request: Request, principal: Administrator, actor: Acting, body: NewKey
) -> KeyCreated:
    seed = hmac.digest(context.secret, b"hubbub api key\x1f" + request.state.command.bytes, "sha256")
    key, text = await context.accounts.keys.create(
        body.name, body.scopes, body.roles, actor, body.expires_at, seed
    )
    shown = KeyOut.of(key)
    keep_instead(request, KeyCreated(key=shown, secret=SHOWN_ONCE).model_dump_json().encode())
    return KeyCreated(key=shown, secret=text)


@router.get("/keys/{key}", summary="Show an API key")
async def show_key(context: Context, principal: Administrator, key: UUID) -> KeyOut:
    return KeyOut.of(await context.accounts.keys.get(key))


@router.delete("/keys/{key}", summary="Revoke an API key")
async def revoke_key(context: Context, principal: Administrator, actor: Acting, key: UUID) -> KeyOut:
    """Holds at once. The key stays in the list, as revoked."""
    return KeyOut.of(await context.accounts.keys.revoke(key, actor))


@router.get("/audit", summary="The audit trail, oldest first")
async def audit(
    context: Context,
    principal: Administrator,
    pages: Pages,
    who: Annotated[str | None, Query(max_length=100, description="by this actor")] = None,
) -> PageOf[AuditOut]:
    records = await context.engine.scan([Topic.AUDIT], pages.after or "", pages.limit, who)
    items = [
        AuditOut(
            id=each.id,
            time=each.event.time,
            actor=each.event.data.actor,
            action=each.event.data.action,
            subject=each.event.data.subject,
            detail=each.event.data.detail,
        )
        for each in records
        if each.event is not None and isinstance(each.event.data, Audited)
    ]
    return pages.listed(items, records[-1].position if len(records) == pages.limit else None)
