"""How one wants to work, and of what to be told."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import OwnSession
from schemas.preferences import Density, Digest, NoticeKind, Preferences, QuietHours, Theme

router = APIRouter(
    prefix="/api/v1/session/preferences",
    tags=["session"],
    route_class=Operation,
    responses=responses(401, 403, 422),
)


class PreferencesChange(Body):
    """What is not given stays; `quiet: null` takes the quiet hours away."""

    language: Annotated[str, Field(max_length=20, description="empty: as the browser says")] | None = None
    zone: Annotated[str, Field(max_length=64, description="IANA name; empty: as the browser says")] | None = (
        None
    )
    theme: Theme | None = None
    density: Density | None = None
    notices: Annotated[tuple[NoticeKind, ...], Field(max_length=10)] | None = None
    browser: bool | None = None
    sound: bool | None = None
    mail: Digest | None = None
    quiet: QuietHours | None = None


@router.get("", summary="One's preferences")
async def show_preferences(context: Context, session: OwnSession) -> Preferences:
    return (await context.accounts.users.get(session.user)).preferences


@router.patch("", summary="Change one's preferences")
async def change_preferences(context: Context, session: OwnSession, body: PreferencesChange) -> Preferences:
    """They hold on every device from its next page on, and for notices within seconds."""
    changes = {
        name: value
        for name in body.model_fields_set
        if (value := getattr(body, name)) is not None or name == "quiet"
    }
    return await context.accounts.users.prefer(session.user, changes)
