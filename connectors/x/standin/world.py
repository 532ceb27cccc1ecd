"""What people and the account do on the stand-in: posts and direct messages."""

import itertools
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
OWN = "900"


class World:
    def __init__(self) -> None:
        self.users: dict[str, Json] = {OWN: {"id": OWN, "name": "Acme", "username": "acme"}}
        self.posts: list[Json] = []
        self.messages: list[Json] = []
        self._numbers = itertools.count(first_id(datetime.now(UTC)))

    def person(self, id: str, name: str, username: str) -> str:
        self.users[id] = {"id": id, "name": name, "username": username}
        return id

    def mention(self, author: str, text: str, answers: str | None = None, **more: Any) -> str:
        """A post that mentions the account; returns its id."""
        id = str(next(self._numbers))
        parent = next((each for each in self.posts if each["id"] == answers), None)
        post: Json = {
            "id": id,
            "author_id": author,
            "text": text,
            "created_at": _now(),
            "conversation_id": parent["conversation_id"] if parent else id,
            "edit_history_tweet_ids": [id],
            **more,
        }
        if answers is not None:
            post["referenced_tweets"] = [{"type": "replied_to", "id": answers}]
        self.posts.append(post)
        return id

    def edit(self, id: str, text: str) -> str:
        """A post with a new id takes the place of the one before."""
        before = next(each for each in self.posts if each["id"] == id)
        new = str(next(self._numbers))
        history = [*before["edit_history_tweet_ids"], new]
        self.posts.remove(before)
        self.posts.append(
            {**before, "id": new, "text": text, "created_at": _now(), "edit_history_tweet_ids": history}
        )
        return new

    def write(self, sender: str, text: str) -> str:
        """A direct message to the account."""
        id = str(next(self._numbers))
        self.messages.append(
            {
                "id": id,
                "event_type": "MessageCreate",
                "sender_id": sender,
                "text": text,
                "dm_conversation_id": pair(sender),
                "created_at": _now(),
            }
        )
        return id

    def said(self) -> list[str]:
        """What the account posted and wrote."""
        own = [each["text"] for each in self.posts if each["author_id"] == OWN]
        return own + [each["text"] for each in self.messages if each["sender_id"] == OWN]


def pair(other: str) -> str:
    """The conversation of the account with somebody."""
    return "-".join(sorted((other, OWN), key=int))


def first_id(at: datetime) -> int:
    """An id as X makes them at this moment: milliseconds since its epoch, then 22 bits."""
    return (int(at.timestamp() * 1000) - 1_288_834_974_657) << 22


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
