"""docs/openapi.json, from the application itself."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.application import app_context
from hub.http.app import api_app
from hub.http.openapi import openapi_json
from hub.settings import HubSettings
from hub.wiring import wire

ADDRESS = "http://127.0.0.1:8025"


def openapi_text() -> str:
    with TemporaryDirectory(prefix="hubbub-docs-") as folder:
        return asyncio.run(_document(Path(folder)))


async def _document(folder: Path) -> str:
    hub = await wire(HubSettings(), folder)
    try:
        return openapi_json(api_app(app_context(hub, {"console": ADDRESS, "files": ADDRESS}, lambda: False)))
    finally:
        await hub.close_channels()
        await hub.engine.close()
