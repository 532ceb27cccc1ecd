"""Files at the stand-in: begun, given in parts in their order, ended, looked at, and named by posts and messages once each."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MOST_BYTES = {"image": 5 << 20, "gif": 15 << 20, "video": 512 << 20}


@dataclass
class File:
    media_type: str
    category: str
    size: int
    parts: list[bytes] = field(default_factory=list)
    is_ended: bool = False
    looks_left: int = 0
    alt: str = ""

    @property
    def content(self) -> bytes:
        return b"".join(self.parts)


class Media:
    """`broken`: X cannot read the next file."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.named: list[list[File]] = []
        """The files of each post and message that had some."""
        self.broken = False
        self._numbers = itertools.count(1_880_000_000_000_000_000)

    def answered(self, request: web.Request, told: Mapping[str, Any]) -> web.Response | None:
        """The answer to a call below `media/`; None where there is no such call."""
        parts = request.match_info["path"].split("/")
        if parts == ["media", "upload", "initialize"]:
            return self._begun(told)
        if parts == ["media", "metadata"]:
            self.files[told["id"]].alt = told["metadata"]["alt_text"]["text"]
            return web.json_response({"data": {"id": told["id"]}})
        if parts == ["media", "upload"] and request.method == "GET":
            return self._state(request.query["media_id"])
        if len(parts) != 4 or parts[2] not in self.files:
            return None
        return self._appended(parts[2], told) if parts[3] == "append" else self._ended(parts[2])

    def problem(self, ids: Sequence[str], place: str, most: int) -> str:
        """Why these may not be named; empty where they may."""
        files = [self.files.get(each) for each in ids]
        if len(ids) > most or any(
            each is None or not each.is_ended or each.looks_left or not each.category.startswith(f"{place}_")
            for each in files
        ):
            return "Your media IDs are invalid."
        alone = [each for each in files if each is not None and not each.category.endswith("_image")]
        return "Only one animation or film goes with a post." if alone and len(ids) > 1 else ""

    def shown(self, text: str, ids: Sequence[str]) -> str:
        """The text as everybody sees it: X puts one link to the files behind it."""
        if not ids:
            return text
        self.named.append([self.files[each] for each in ids])
        return f"{text} https://t.co/{ids[0][-10:]}"

    def _begun(self, told: Mapping[str, Any]) -> web.Response:
        kind = told["media_category"].rpartition("_")[2]
        if told["total_bytes"] > MOST_BYTES[kind]:
            return web.json_response({"detail": "The file is too large.", "status": 400}, status=400)
        id = str(next(self._numbers))
        self.files[id] = File(told["media_type"], told["media_category"], told["total_bytes"])
        return web.json_response({"data": {"id": id, "media_key": f"3_{id}", "expires_after_secs": 86400}})

    def _appended(self, id: str, told: Mapping[str, Any]) -> web.Response:
        file = self.files[id]
        if int(told["segment_index"]) != len(file.parts):
            return web.json_response({"detail": "The parts are out of order.", "status": 400}, status=400)
        file.parts.append(told["media"].file.read())
        return web.json_response({"data": {"expires_at": 0}})

    def _ended(self, id: str) -> web.Response:
        file = self.files[id]
        if len(file.content) != file.size:
            return web.json_response({"detail": "Parts are missing.", "status": 400}, status=400)
        file.is_ended, file.looks_left = True, 0 if file.category.endswith("_image") else 2
        return self._state(id)

    def _state(self, id: str) -> web.Response:
        file = self.files[id]
        told: dict[str, Any] = {"id": id, "size": file.size}
        if self.broken:
            told["processing_info"] = {"state": "failed"}
        elif file.looks_left:
            file.looks_left -= 1
            state = "in_progress" if file.looks_left else "succeeded"
            told["processing_info"] = {"state": state, "check_after_secs": 0}
        return web.json_response({"data": told})
