"""The channels that our app is in. https://docs.slack.dev/reference/methods/users.conversations"""

from collections.abc import Iterable

from connectors.slack.history import Asks
from connectors.slack.parse.blocks import objects, string


async def channels_of(web: Asks, teams: Iterable[str | None], most: int) -> list[str]:
    """Those of all these workspaces, which share channels where they are of one organization; no page is read once there are
    `most`. A team is named by an organization's token alone."""
    found: dict[str, None] = {}
    for team in teams:
        await _add(web, team, most, found)
    return list(found)


async def _add(web: Asks, team: str | None, most: int, found: dict[str, None]) -> None:
    cursor: str | None = None
    while len(found) < most:
        answer = await web.ask(
            "users.conversations",
            types="public_channel,private_channel,im,mpim",
            exclude_archived="true",
            limit=200,
            cursor=cursor,
            team_id=team,
        )
        named = (string(each.get("id")) for each in objects(answer.get("channels")))
        found.update(dict.fromkeys(each for each in named if each))
        meta = answer.get("response_metadata")
        cursor = string(meta.get("next_cursor")) if isinstance(meta, dict) else ""
        if not cursor:
            return
