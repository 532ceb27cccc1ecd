"""The Web API: methods by name, with Slack's errors, limits and pages. https://docs.slack.dev/reference/methods"""

import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.slack.names import ORGANIZATION
from connectors.slack.standin.oauth import OAuth, OAuthError
from connectors.slack.standin.workspace import APP, BOT_ID, BOT_USER, METADATA, Json, Workspace

LONGEST_TEXT = 40_000
PAGE = 100
MINUTE = 60.0
OF_ONE_TEAM = frozenset({"users.conversations", "bots.info"})
"""Which workspace is meant has to be said with an organization's token."""


class ApiError(Exception):
    """`ok: false` with this word, and what else the answer says."""

    def __init__(self, word: str, **more: str) -> None:
        super().__init__(word)
        self.more = more


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call. `kind`: limited, error:WORD, status:CODE, drop, slow, or none. `after`: it was done nonetheless."""

    kind: str
    after: bool = False
    retry_after: str | None = "1"


@dataclass
class Api:
    """`faults` maps a method to what goes wrong with its next calls, in order."""

    workspace: Workspace
    bot_token: str
    app_token: str
    base_url: str = ""
    socket_url: Callable[[], str] = lambda: ""
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    scopes: str = "chat:write,channels:history,groups:history,im:history,users:read,files:read,files:write,channels:read,reactions:read,chat:write.customize"
    limits: dict[str, int] = field(default_factory=dict)
    """Method -> calls a minute. https://docs.slack.dev/apis/web-api/rate-limits"""
    organization: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Workspace of the organization that installed the app -> channels that the app is in there."""
    _used: dict[str, deque[float]] = field(default_factory=dict)
    _uploads: dict[str, Json] = field(default_factory=dict)
    oauth: OAuth = field(init=False)

    def __post_init__(self) -> None:
        self.oauth = OAuth(self.workspace.now)

    def fail(self, method: str, *faults: Fault) -> None:
        self.faults.setdefault(method, deque()).extend(faults)

    def next_fault(self, method: str) -> Fault | None:
        """What goes wrong with this call: what a test asked for, or a limit that it goes beyond."""
        return self._over_limit(method) or self._asked_for(method)

    def _over_limit(self, method: str) -> Fault | None:
        """Within a minute, as Slack counts; a call beyond it is not counted itself."""
        most = self.limits.get(method)
        if most is None:
            return None
        now = self.workspace.now().timestamp()
        used = self._used.setdefault(method, deque())
        while used and used[0] <= now - MINUTE:
            used.popleft()
        if len(used) >= most:
            return Fault("limited", retry_after=str(math.ceil(used[0] + MINUTE - now)))
        used.append(now)
        return None

    def _asked_for(self, method: str) -> Fault | None:
        waiting = self.faults.get(method)
        fault = waiting.popleft() if waiting else None
        return None if fault is None or fault.kind == "none" else fault

    def call(self, method: str, token: str, values: Json) -> Json:
        """The answer's fields. Raises ApiError."""
        self.calls.append((method, values))
        known = METHODS.get(method)
        if known is None:
            raise ApiError("unknown_method")
        if not token:
            raise ApiError("not_authed")
        if method == "apps.connections.open":
            if token != self.app_token:
                raise ApiError("invalid_auth")
            return known(self, values)
        team = self.team_of(token)
        if method == "auth.revoke":
            self.oauth.revoke(token)
        is_whole = team.startswith(ORGANIZATION)
        if is_whole and method in OF_ONE_TEAM and values.get("team_id") not in self.organization:
            raise ApiError("missing_argument")
        if is_whole and method == "users.conversations":
            return {"channels": [{"id": each} for each in self.organization[values["team_id"]]]}
        answer = known(self, values)
        return {**answer, **self._who(team)} if method == "auth.test" else answer

    def _who(self, team: str) -> Json:
        if not team.startswith(ORGANIZATION):
            return {"team_id": team}
        return {
            "team_id": next(iter(self.organization), ""),
            "enterprise_id": team,
            "is_enterprise_install": True,
        }

    def teams(self, values: Json) -> Json:
        return {"teams": [{"id": each, "name": each} for each in self.organization]}

    def access(self, client: tuple[str, str], values: Json) -> Json:
        """oauth.v2.access needs no token. Raises ApiError."""
        self.calls.append(("oauth.v2.access", values))
        try:
            return self.oauth.access(client, values)
        except OAuthError as error:
            raise ApiError(str(error)) from error

    def team_of(self, token: str) -> str:
        """Raises ApiError for a token that is not good."""
        try:
            team = self.workspace.team if token == self.bot_token else self.oauth.team_of(token)
        except OAuthError as error:
            raise ApiError(str(error)) from error
        if team is None:
            raise ApiError("invalid_auth")
        return team

    # -- who ----------------------------------------------------------------------------------------------------------

    def auth_test(self, values: Json) -> Json:
        return {"team": "Acme", "team_id": self.workspace.team, "user_id": BOT_USER, "bot_id": BOT_ID}

    def revoke(self, values: Json) -> Json:
        return {"revoked": True}

    def bots_info(self, values: Json) -> Json:
        return {"bot": {"id": BOT_ID, "app_id": APP, "user_id": BOT_USER, "name": "hubbub"}}

    def users_info(self, values: Json) -> Json:
        user = self.workspace.users.get(values.get("user", ""))
        if user is None:
            raise ApiError("user_not_found")
        return {"user": user}

    def connections_open(self, values: Json) -> Json:
        return {"url": self.socket_url()}

    # -- channels -----------------------------------------------------------------------------------------------------

    def conversations(self, values: Json) -> Json:
        return {"channels": [{"id": each} for each in self.workspace.channels]}

    def history(self, values: Json) -> Json:
        """Newest first, without answers in threads."""
        found = [each for each in self._channel(values) if each.get("thread_ts") in (None, each["ts"])]
        return self._page(list(reversed(found)), values)

    def replies(self, values: Json) -> Json:
        """Oldest first, the first message included."""
        thread = values.get("ts")
        found = [each for each in self._channel(values) if thread in (each["ts"], each.get("thread_ts"))]
        if not found:
            raise ApiError("thread_not_found")
        return self._page(found, values, keep=thread)

    def _channel(self, values: Json) -> list[Json]:
        messages = self.workspace.channels.get(values.get("channel", ""))
        if messages is None:
            raise ApiError("channel_not_found")
        return messages

    def _page(self, found: list[Json], values: Json, keep: str | None = None) -> Json:
        oldest, latest = values.get("oldest") or "0", values.get("latest") or "9"
        is_inclusive = str(values.get("inclusive")).lower() in ("true", "1")
        wanted = [
            each
            for each in found
            if oldest < each["ts"] <= latest or each["ts"] == keep or (is_inclusive and each["ts"] == oldest)
        ]
        start, limit = int(values.get("cursor") or 0), min(int(values.get("limit") or PAGE), PAGE)
        with_metadata = str(values.get("include_all_metadata")).lower() in ("true", "1")
        page = [
            each if with_metadata else {name: each[name] for name in each if name != METADATA}
            for each in wanted[start : start + limit]
        ]
        more = start + limit < len(wanted)
        return {
            "messages": page,
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + limit) if more else ""},
        }

    # -- sending --------------------------------------------------------------------------------------------------------

    def post_message(self, values: Json) -> Json:
        self._channel(values)
        text = values.get("text", "")
        if not text:
            raise ApiError("no_text")
        if len(text) > LONGEST_TEXT:
            raise ApiError("msg_too_long")
        if values.get("username") and "chat:write.customize" not in self.scopes:
            raise ApiError("missing_scope", needed="chat:write.customize", provided=self.scopes)
        metadata = values.get(METADATA)
        if isinstance(metadata, str):
            values = {**values, METADATA: json.loads(metadata)}
        message = self.workspace.post(values)
        return {"channel": values["channel"], "ts": message["ts"], "message": message}

    def update(self, values: Json) -> Json:
        message = self._own(values, "cant_update_message")
        if not values.get("text"):
            raise ApiError("no_text")
        metadata = values.get(METADATA)
        if isinstance(metadata, str):
            values = {**values, METADATA: json.loads(metadata)}
        self.workspace.update(values["channel"], message, values)
        return {"channel": values["channel"], "ts": message["ts"], "text": message["text"]}

    def delete(self, values: Json) -> Json:
        message = self._own(values, "cant_delete_message")
        self.workspace.delete(values["channel"], message["ts"])
        return {"channel": values["channel"], "ts": message["ts"]}

    def _own(self, values: Json, refusal: str) -> Json:
        """An app changes its own messages only."""
        found = [each for each in self._channel(values) if each["ts"] == values.get("ts")]
        if not found:
            raise ApiError("message_not_found")
        if found[0].get("app_id") != APP:
            raise ApiError(refusal)
        return found[0]

    def delete_file(self, values: Json) -> Json:
        """Gone from wherever it was shown; a message that only showed it goes too."""
        id = values.get("file", "")
        if self.workspace.contents.pop(id, None) is None:
            raise ApiError("file_not_found")
        self.workspace.files.pop(id, None)
        for channel, messages in self.workspace.channels.items():
            for each in [each for each in messages if [file["id"] for file in each.get("files", [])] == [id]]:
                self.workspace.delete(channel, each["ts"])
        return {}

    def upload_url(self, values: Json) -> Json:
        id = f"F{len(self._uploads) + 1:07d}U"
        self._uploads[id] = {"name": values.get("filename", ""), "length": int(values.get("length", 0))}
        return {"upload_url": f"{self.base_url}/upload/{id}", "file_id": id}

    def uploaded(self, id: str, content: bytes) -> bool:
        known = self._uploads.get(id)
        if known is None or len(content) != known["length"]:
            return False
        self.workspace.contents[id] = content
        return True

    def complete_upload(self, values: Json) -> Json:
        given = values.get("files", [])
        files = json.loads(given) if isinstance(given, str) else given
        for each in files:
            if each["id"] not in self.workspace.contents:
                raise ApiError("file_not_found")
        if values.get("channel_id"):
            names = [self._uploads[each["id"]]["name"] for each in files]
            message = {
                "type": "message",
                "subtype": "file_share",
                "user": BOT_USER,
                "bot_id": BOT_ID,
                "app_id": APP,
                "text": "",
                "ts": self.workspace.ts(),
                "files": [{"id": each["id"], "name": name} for each, name in zip(files, names, strict=True)],
            }
            self.workspace.add(values["channel_id"], message, values.get("thread_ts"))
        return {"files": [{"id": each["id"]} for each in files]}

    def files_info(self, values: Json) -> Json:
        file = self.workspace.files.get(values.get("file", ""))
        if file is None:
            raise ApiError("file_not_found")
        return {"file": {name: value for name, value in file.items() if name != "file_access"}}


Method = Callable[[Api, Json], Json]
METHODS: Mapping[str, Method] = {
    "auth.test": Api.auth_test,
    "auth.teams.list": Api.teams,
    "auth.revoke": Api.revoke,
    "bots.info": Api.bots_info,
    "users.info": Api.users_info,
    "apps.connections.open": Api.connections_open,
    "users.conversations": Api.conversations,
    "conversations.history": Api.history,
    "conversations.replies": Api.replies,
    "chat.postMessage": Api.post_message,
    "files.getUploadURLExternal": Api.upload_url,
    "files.completeUploadExternal": Api.complete_upload,
    "files.info": Api.files_info,
    "files.delete": Api.delete_file,
    "chat.update": Api.update,
    "chat.delete": Api.delete,
}
