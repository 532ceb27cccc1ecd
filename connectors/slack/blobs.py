"""Files out, by the flow that Slack has now: ask for an address, send the bytes there, and show all in one step.

https://docs.slack.dev/reference/methods/files.getUploadURLExternal
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from connectors.slack.parse.blocks import string
from connectors.slack.web import SlackWeb
from schemas.interactions import Attachment

SLACK_HOSTS = (".slack.com", ".slack-files.com")


@dataclass(frozen=True, slots=True)
class Uploaded:
    id: str
    title: str


async def uploaded(web: SlackWeb, attachment: Attachment, content: bytes) -> Uploaded:
    """The file at Slack, which nobody sees yet. Raises one of FAILURES."""
    answer = await web.client.files_getUploadURLExternal(filename=attachment.name, length=len(content))
    url, id = string(answer.get("upload_url")), string(answer.get("file_id"))
    if not _is_slack(url, web.api_url):
        raise ValueError("Slack named an address for the file that is not its own")
    async with web.session.post(url, data=content, allow_redirects=False) as sent:
        if sent.status != 200:
            raise aiohttp.ClientResponseError(
                sent.request_info, (), status=sent.status, message="upload refused"
            )
    return Uploaded(id, attachment.name)


def _is_slack(url: str, api_url: str) -> bool:
    """Of Slack, or of the host that the settings name in its place."""
    host, ours = urlsplit(url).hostname or "", urlsplit(api_url).hostname or ""
    return host == ours or (host.endswith(SLACK_HOSTS) and url.startswith("https://"))
