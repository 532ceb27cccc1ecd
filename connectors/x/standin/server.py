"""The stand-in as X's API: mentions, posts, direct messages, webhooks; signatures by OAuth 1.0a are checked, and faults can be asked for."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from oauthlib.oauth1 import Client as OAuth  # type: ignore[import-untyped]

from connectors.x.hook import SIGNATURE, sign
from connectors.x.standin.faults import Fault, failed, problem
from connectors.x.standin.media import Media
from connectors.x.standin.world import OWN, Json, World, pair

KEY, SECRET, TOKEN, TOKEN_SECRET = (
    "key-of-the-app",
    "secret-of-the-app",
    "token-of-us",
    "secret-of-us",
)
PAGE = 100
NEWEST_MENTIONS = 800


class XStandin(World):
    """`faults` maps `METHOD /path` to what goes wrong with its next calls. `hook_url`: where activity is posted."""

    def __init__(self, hook_url: str | None = None) -> None:
        super().__init__()
        self.hook_url = hook_url
        self.hidden: set[str] = set()
        self.closed: set[str] = set()
        """Posts that we may not see any more: of a protected or suspended account."""
        self.looked_up: list[str] = []
        self.media = Media()
        self.faults: dict[str, deque[Fault]] = {}
        self.calls: list[str] = []
        self.asked, self.released = asyncio.Event(), asyncio.Event()
        """Set by each call; set by who lets those go on that are held."""
        self.consumer_secret = SECRET
        self.newest_mentions = NEWEST_MENTIONS
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/2/{path:.*}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fail(self, call: str, *faults: Fault) -> None:
        self.faults.setdefault(call, deque()).extend(faults)

    async def tell(self, payload: Json, secret: str | None = None) -> int:
        """Post activity to the hook, signed; the status of its answer."""
        assert self.hook_url is not None
        body = json.dumps({"for_user_id": OWN, **payload}).encode()
        headers = {SIGNATURE: sign(secret or self.consumer_secret, body), "content-type": "application/json"}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(self.hook_url, data=body, headers=headers) as answer,
        ):
            return answer.status

    # -- the API -----------------------------------------------------------------------------------------------------------

    async def _call(self, request: web.Request) -> web.StreamResponse:
        form = request.content_type == "multipart/form-data"
        body = b"" if form else await request.read()
        call = f"{request.method} /{request.match_info['path']}"
        self.calls.append(call)
        self.asked.set()
        if not self._is_signed(request):
            return problem(401, "Unauthorized")
        waiting = self.faults.get(call)
        fault = waiting.popleft() if waiting else None
        fault = None if fault is not None and fault.kind == "nothing" else fault
        if fault is not None and fault.kind == "held":
            await self.released.wait()
            fault = None
        if fault is not None and not fault.after:
            return failed(request, fault)
        if request.match_info["path"].startswith("media/"):
            told = self.media.answered(request, dict(await request.post()) if form else _read(body))
            answer = told or problem(404, "Not Found")
        else:
            answer = self._answered(request, _read(body))
        return failed(request, fault) if fault is not None else answer

    def _is_signed(self, request: web.Request) -> bool:
        """The signature that the keys make of the same nonce and time (RFC 5849, section 3.2)."""
        given = request.headers.get("authorization", "")
        parts = dict(each.strip().partition('="')[::2] for each in given.removeprefix("OAuth ").split(","))
        fields = {name: value.rstrip('"') for name, value in parts.items()}
        oauth = OAuth(
            KEY,
            client_secret=self.consumer_secret,
            resource_owner_key=TOKEN,
            resource_owner_secret=TOKEN_SECRET,
            nonce=fields.get("oauth_nonce", ""),
            timestamp=fields.get("oauth_timestamp", ""),
        )
        _, headers, _ = oauth.sign(str(request.url), request.method)
        return bool(given) and _fields(headers["Authorization"]) == _fields(given)

    def _answered(self, request: web.Request, body: Json) -> web.Response:
        path, query, parts = request.match_info["path"], request.query, request.match_info["path"].split("/")
        call = CALLS.get((request.method, len(parts), parts[0]))
        if path in (f"users/{OWN}/mentions", f"users/{OWN}/tweets"):
            return self._page(self._posts(is_own=path.endswith("/tweets")), query)
        if path == "users/me":
            return web.json_response({"data": self.users[OWN]})
        if path == "dm_events":
            return self._page(self.messages, query)
        if request.method == "GET" and parts[0] == "dm_conversations":
            return self._page(
                [each for each in self.messages if each["dm_conversation_id"] == parts[1]], query
            )
        return problem(404, "Not Found") if call is None else call(self, parts, query, body)

    def _posts(self, *, is_own: bool) -> list[Json]:
        found = [each for each in self.posts if (each["author_id"] == OWN) is is_own]
        return found if is_own else found[-self.newest_mentions :]

    def _message(self, parts: list[str], query: Mapping[str, str], body: Json) -> web.Response:
        """To a conversation, or `with` somebody, whether there is one yet or not."""
        conversation = parts[1] if parts[1] != "with" else pair(parts[2])
        named = [each["media_id"] for each in body.get("attachments", ())]
        refusal = self.media.problem(named, "dm", 1)
        if refusal:
            return problem(400, refusal)
        id = self.write(OWN, self.media.shown(body.get("text", ""), named))
        self.messages[-1]["dm_conversation_id"] = conversation
        return web.json_response(
            {"data": {"dm_conversation_id": conversation, "dm_event_id": id}}, status=201
        )

    def _looked_up(self, parts: list[str], query: Mapping[str, str], body: Json) -> web.Response:
        """Posts by their ids; those that are gone or closed are told apart."""
        wanted, fields = query["ids"].split(","), query.get("tweet.fields", "").split(",")
        self.looked_up.extend(wanted)
        found = [each for each in self.posts if not set(each["edit_history_tweet_ids"]).isdisjoint(wanted)]
        known = {id for each in found for id in each["edit_history_tweet_ids"]}
        errors = [
            {
                "resource_id": id,
                "resource_type": "tweet",
                "parameter": "ids",
                "title": "Authorization Error" if id in self.closed else "Not Found Error",
                "type": f"https://api.twitter.com/2/problems/{'not-authorized-for-resource' if id in self.closed else 'resource-not-found'}",
            }
            for id in wanted
            if id not in known or id in self.closed
        ]
        posts = [
            {
                "id": id,
                **({"author_id": each["author_id"]} if "author_id" in fields else {}),
                "text": each["text"],
            }
            for each in found
            for id in each["edit_history_tweet_ids"]
            if id in wanted and id not in self.closed
        ]
        people = {each["author_id"] for each in posts if "author_id" in each} if "expansions" in query else ()
        includes = {"includes": {"users": [self.users[each] for each in people]}} if people else {}
        return web.json_response({"data": posts, **includes, **({"errors": errors} if errors else {})})

    def _deleted(self, parts: list[str], query: Mapping[str, str], body: Json) -> web.Response:
        found = [each for each in self.posts if each["id"] == parts[1] and each["author_id"] == OWN]
        self.posts = [each for each in self.posts if each not in found]
        return web.json_response({"data": {"deleted": True}}) if found else problem(404, "Not Found Error")

    def _hidden(self, parts: list[str], query: Mapping[str, str], body: Json) -> web.Response:
        """Replies in a conversation that the account began, and no others."""
        post = next((each for each in self.posts if each["id"] == parts[1]), None)
        if post is None:
            return problem(404, "Not Found Error")
        root = next((each for each in self.posts if each["id"] == post["conversation_id"]), None)
        if root is None or root["author_id"] != OWN or root is post:
            return problem(403, "You are not allowed to hide this reply.")
        (self.hidden.add if body["hidden"] else self.hidden.discard)(parts[1])
        return web.json_response({"data": {"hidden": body["hidden"]}})

    def _tweet(self, parts: list[str], query: Mapping[str, str], body: Json) -> web.Response:
        named = body.get("media", {}).get("media_ids", [])
        refusal = self.media.problem(named, "tweet", 4)
        if refusal:
            return problem(400, refusal)
        text = body["text"]
        if any(each.get("said") == text and each["author_id"] == OWN for each in self.posts):
            return problem(403, "You are not allowed to create a Tweet with duplicate content.")
        answered = body.get("reply", {}).get("in_reply_to_tweet_id")
        id = self.mention(OWN, self.media.shown(text, named), answered, said=text)
        return web.json_response({"data": {"id": id, "text": text}}, status=201)

    def _page(self, found: list[Json], query: Mapping[str, str]) -> web.Response:
        """Newest first."""
        since, began = int(query.get("since_id", "0")), query.get("start_time", "")
        newest = [each for each in reversed(found) if int(each["id"]) > since and each["created_at"] >= began]
        start, size = int(query.get("pagination_token", "0")), min(int(query.get("max_results", "10")), PAGE)
        page = newest[start : start + size]
        meta: Json = {"result_count": len(page)}
        if start + size < len(newest):
            meta["next_token"] = str(start + size)
        named = {each["id"] for one in page for each in one.get("referenced_tweets", ())}
        others = [each for each in self.posts if each["id"] in named]
        ids = {each.get("author_id") or each.get("sender_id") for each in (*page, *others)}
        users = [self.users[each] for each in ids if each in self.users]
        includes = {"users": users, "tweets": others}
        answer: Json = {"data": page, "includes": includes, "meta": meta} if page else {"meta": meta}
        headers = {
            "x-rate-limit-remaining": "299",
            "x-rate-limit-reset": str(int(datetime.now(UTC).timestamp()) + 900),
        }
        return web.json_response(answer, headers=headers)


CALLS = {
    ("DELETE", 2, "tweets"): XStandin._deleted,
    ("POST", 1, "tweets"): XStandin._tweet,
    ("GET", 1, "tweets"): XStandin._looked_up,
    ("PUT", 3, "tweets"): XStandin._hidden,
    ("POST", 3, "dm_conversations"): XStandin._message,
    ("POST", 4, "dm_conversations"): XStandin._message,
}


def _read(body: bytes) -> Json:
    told = json.loads(body) if body else {}
    return told if isinstance(told, dict) else {}


def _fields(authorization: str) -> set[str]:
    return {each.strip() for each in authorization.removeprefix("OAuth ").split(",")}
