"""What Slack's answer to a send means: whether anything was accepted, and who can change it.

Errors of chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

import aiohttp
from slack_sdk.errors import SlackApiError

from connectors.slack.scopes import CUSTOMIZE
from connectors.slack.web import error_of, retry_after
from schemas.ports import Receipt, ReceiptStatus

LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded", "team_added_to_org"})
"""Nothing was accepted, and another try may go well."""
MAYBE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Slack says itself that some of it may have been done."""
ACCOUNT = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "missing_scope",
        "not_allowed_token_type",
        "org_login_required",
        "ekm_access_denied",
        "access_denied",
        "app_missing_action_url",
        "two_factor_setup_required",
    }
)
"""Nothing can be sent with this token, whatever the message."""
WORDS = {
    "channel_not_found": "the channel is gone, or the app is not in it",
    "not_in_channel": "the app is not in the channel; invite it there",
    "is_archived": "the channel is archived",
    "msg_too_long": "the message is too long for Slack",
    "restricted_action": "the workspace does not let the app write there",
    "restricted_action_thread_only_channel": "the channel takes threads only",
    "user_is_restricted": "that person may not get messages",
    "cannot_reply_to_message": "that message takes no answers any more",
    "thread_locked": "the thread is locked",
    "message_not_found": "the message is gone",
    "edit_window_closed": "the workspace lets messages be edited for some time only, and that is over",
    "cant_update_message": "the workspace does not let the app edit it",
    "cant_delete_message": "the workspace does not let the app take it back",
    "compliance_exports_prevent_deletion": "the workspace keeps all messages",
    "cant_delete_file": "the workspace does not let the app take its file back",
}


def receipt_of(error: BaseException) -> Receipt:
    """Of a call that failed: retry where nothing was accepted, failed where it never will be, else unknown."""
    said = error_of(error)
    reason = f"Slack: {WORDS.get(said, said)}"
    if isinstance(error, SlackApiError):
        return _of_answer(error, said, reason)
    if isinstance(error, aiohttp.ClientConnectorError):  # no connection was made, so nothing left us
        return Receipt(ReceiptStatus.RETRY, reason="Slack could not be reached")
    return Receipt(ReceiptStatus.UNKNOWN, reason=f"no answer came from Slack: {said}")


def may_not_customize(error: BaseException) -> bool:
    """Whether a message was refused only because it was to bear somebody's name. Nothing was accepted then."""
    if not isinstance(error, SlackApiError) or error_of(error) != "missing_scope":
        return False
    found = error.response.data
    return isinstance(found, dict) and CUSTOMIZE in str(found.get("needed", ""))


def _of_answer(error: SlackApiError, said: str, reason: str) -> Receipt:
    status = error.response.status_code
    if status == 429 or said in LATER:
        return Receipt(ReceiptStatus.RETRY, reason=reason, retry_after_seconds=retry_after(error) or 1.0)
    if said in ACCOUNT:
        return Receipt(ReceiptStatus.RETRY, reason=reason, stop_account=True)
    if status >= 500 or said in MAYBE:
        return Receipt(ReceiptStatus.UNKNOWN, reason=reason)
    return Receipt(ReceiptStatus.FAILED, reason=reason)
