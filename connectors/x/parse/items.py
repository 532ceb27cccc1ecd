"""Posts, messages and deletions as X gives them, by whichever way, as items of one shape.

https://docs.x.com/x-api/fundamentals/data-dictionary · https://docs.x.com/x-api/activity/introduction
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.kit.items import RawItem, Unreadable
from connectors.x.names import ID

Json = Mapping[str, Any]


def objects(value: object, most: int = 1000) -> list[Json]:
    return [each for each in value[:most] if isinstance(each, dict)] if isinstance(value, list) else []


def string(value: object) -> str:
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def users_of(answer: Json) -> dict[str, Json]:
    """Who an answer tells of, by id."""
    includes = answer.get("includes")
    listed = includes.get("users") if isinstance(includes, dict) else None
    return {string(each.get("id")): each for each in objects(listed)}


def posts_of(answer: Json) -> dict[str, Json]:
    """Posts that an answer refers to, by id."""
    includes = answer.get("includes")
    listed = includes.get("tweets") if isinstance(includes, dict) else None
    return {string(each.get("id")): each for each in objects(listed)}


def post_items(
    post: Json, users: Mapping[str, Json], received_at: datetime, others: Mapping[str, Json] | None = None
) -> list[RawItem]:
    """A post; one that was edited is the first version, as far as it is known, and then its last.

    `others`: posts among which the one may be that it answers.
    """
    id = string(post.get("id"))
    if not ID.fullmatch(id):
        raise Unreadable("a post without an id")
    history = [
        string(each) for each in post.get("edit_history_tweet_ids") or () if ID.fullmatch(string(each))
    ]
    first = history[0] if history else id
    author = users.get(string(post.get("author_id")), {})
    shared = {"post": post, "user": author, "first": first}
    parent = _parent(post, others or {})
    if parent is not None:
        shared["parent"] = {
            "text": parent.get("text"),
            "user": users.get(string(parent.get("author_id")), {}),
        }
    items = [_item(f"post:{first}", {"kind": "post", **shared}, received_at)]
    if first != id:
        items.append(_item(f"post:{id}", {"kind": "edit", **shared}, received_at))
    return items


def _parent(post: Json, others: Mapping[str, Json]) -> Json | None:
    """The post that it answers or quotes, where it is known."""
    named = [string(each.get("id")) for each in objects(post.get("referenced_tweets"), 5)]
    return next((others[id] for id in named if id in others), None)


def message_item(event: Json, users: Mapping[str, Json], received_at: datetime) -> RawItem:
    id = string(event.get("id"))
    if not ID.fullmatch(id):
        raise Unreadable("a message without an id")
    sender = users.get(string(event.get("sender_id")), {})
    return _item(f"dm:{id}", {"kind": "dm", "message": event, "user": sender}, received_at)


def deletion_item(id: str, user: str, at: str, received_at: datetime) -> RawItem:
    if not ID.fullmatch(id):
        raise Unreadable("a deletion without an id")
    return _item(f"deleted:{id}", {"kind": "deletion", "id": id, "user_id": user, "at": at}, received_at)


def gap_item(stream: str, since: str, until: str, words: str, received_at: datetime) -> RawItem:
    """Tells that between two ids something was missed for good, so that the log says so."""
    content = {"kind": "gap", "stream": stream, "since": since, "until": until, "words": words}
    return _item(f"gap:{stream}:{since}:{until}", content, received_at)


def _item(name: str, content: Json, received_at: datetime) -> RawItem:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return RawItem(name, body, received_at)


# -- Account Activity -------------------------------------------------------------------------------------------------


def activity_items(payload: Json, received_at: datetime) -> Iterator[RawItem]:
    """What a webhook of Account Activity, or of the X Activity API, tells of."""
    users = {
        string(id): _user(user) for id, user in (payload.get("users") or {}).items() if isinstance(user, dict)
    }
    for post in objects(payload.get("tweet_create_events")):
        author = post.get("user")
        told = (
            {**users, string(post.get("user", {}).get("id_str")): _user(author)}
            if isinstance(author, dict)
            else users
        )
        yield from post_items(_post(post), told, received_at, _quoted(post))
    for event in objects(payload.get("direct_message_events")):
        if event.get("type") == "message_create":
            yield message_item(_message(event), users, received_at)
    for event in objects(payload.get("tweet_delete_events")):
        status = event.get("status")
        status = status if isinstance(status, dict) else {}
        at = string(event.get("timestamp_ms"))
        yield deletion_item(string(status.get("id")), string(status.get("user_id")), at, received_at)
    yield from _activity(payload.get("data"), received_at)


def _activity(event: object, received_at: datetime) -> Iterator[RawItem]:
    """One event of the X Activity API."""
    if not isinstance(event, dict) or not isinstance(event.get("payload"), dict):
        return
    kind, told = string(event.get("event_type")), event["payload"]
    if kind == "post.create":
        yield from post_items(told, users_of(told), received_at, posts_of(told))
    elif kind == "dm.received":
        yield message_item(told, users_of(told), received_at)
    elif kind == "post.delete":
        yield deletion_item(string(told.get("id")), string(told.get("author_id")), "", received_at)


def _user(user: Json) -> Json:
    name = user.get("screen_name") or user.get("username")
    return {"id": string(user.get("id_str") or user.get("id")), "name": user.get("name"), "username": name}


def _post(post: Json) -> Json:
    """A post of the older form in the words of the newer."""
    extended = post.get("extended_tweet")
    text = (
        extended.get("full_text") if isinstance(extended, dict) else post.get("full_text") or post.get("text")
    )
    parent, quoted = string(post.get("in_reply_to_status_id_str")), string(post.get("quoted_status_id_str"))
    references = [{"type": "replied_to", "id": parent}] if parent else []
    references += [{"type": "quoted", "id": quoted}] if quoted else []
    if isinstance(post.get("retweeted_status"), dict):
        references.append({"type": "retweeted", "id": string(post["retweeted_status"].get("id_str"))})
    user = post.get("user")
    return {
        "id": string(post.get("id_str") or post.get("id")),
        "author_id": string(user.get("id_str") or user.get("id")) if isinstance(user, dict) else "",
        "text": text,
        "created_at": post.get("created_at"),
        "conversation_id": string(post.get("conversation_id_str") or post.get("conversation_id")),
        "referenced_tweets": references,
        "lang": post.get("lang"),
    }


def _quoted(post: Json) -> dict[str, Json]:
    """The post that it quotes, which the older form brings along."""
    quoted = post.get("quoted_status")
    if not isinstance(quoted, dict):
        return {}
    known = _post(quoted)
    return {string(known["id"]): known}


def _message(event: Json) -> Json:
    created = event.get("message_create")
    created = created if isinstance(created, dict) else {}
    target, told = created.get("target"), created.get("message_data")
    recipient = string(target.get("recipient_id")) if isinstance(target, dict) else ""
    sender = string(created.get("sender_id"))
    pair = sorted((sender, recipient), key=lambda id: int(id) if id.isdigit() else 0)
    return {
        "id": event.get("id"),
        "event_type": "MessageCreate",
        "sender_id": sender,
        "text": told.get("text") if isinstance(told, dict) else "",
        "dm_conversation_id": "-".join(pair),
        "created_at": string(event.get("created_timestamp")),
    }


def newest(ids: Sequence[str]) -> str:
    """The highest of these ids, which rise with time; they are numbers longer than JavaScript's, so never compared as text."""
    return max((each for each in ids if ID.fullmatch(each)), key=int, default="")
