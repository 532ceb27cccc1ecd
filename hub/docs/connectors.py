"""docs/connectors.md: every channel, what it can do, and how far it is, from what each says of itself."""

from collections.abc import Iterator
from typing import Any

from connectors.kit.channel import Channel
from connectors.kit.quality import RULES, Tier
from hub.channels import channels
from hub.docs.markdown import code, page, table
from schemas.capabilities import Capabilities

HEAD = """
One line in `hub/channels.py` brings a channel into settings, wiring, commands, console and this page. `hubbub connectors list`
says how yours are; [writing a connector](integrators/writing-a-connector.md) says how to add one.
"""
TIERS = {
    Tier.SAFE: "safe: nothing is lost, doubled or believed without proof",
    Tier.WHOLE: "whole: all that the channel has comes through, both ways",
    Tier.EASY: "easy: to set up, to try, to keep running",
}
DONE, OPEN, EXEMPT = "done", "open", "exempt"


def connectors_page() -> str:
    known = list(channels().values())
    return page("Connectors", HEAD, _list(known), _capabilities(known), _quality(known), _exemptions(known))


def _folder(channel: Channel[Any]) -> str:
    """Where the channel is, which need not be what it is called in the settings."""
    return channel.settings.__module__.split(".")[1]


def _list(known: list[Channel[Any]]) -> str:
    rows = [
        (
            f"[{each.title}](operators/channels/{_folder(each)}.md)",
            code(each.name),
            f"{each.quality.tier.value} ({each.quality.tier.name.lower()})"
            if each.quality.tier
            else "none yet",
            ", ".join(code(str(rule)) for rule in each.quality.open) or "nothing",
        )
        for each in known
    ]
    return "## Channels\n\n" + table(("channel", "section", "tier", "open"), rows)


def _capabilities(known: list[Channel[Any]]) -> str:
    names = ["", *(each.title for each in known)]
    found = [dict(_can(each.capabilities)) for each in known]
    rows = [(name, *(each[name] for each in found)) for name in found[0]]
    return (
        "## What each can do\n\nComposer, automations and API keep to it: what a channel would not take is refused before it is"
        " queued, with what to change.\n\n" + table(names, rows)
    )


def _can(of: Capabilities) -> Iterator[tuple[str, str]]:
    answers = "yes" if of.reply else f"by {of.answered_by}" if of.answered_by else "no"
    yield "answers", answers
    longest = "any length" if of.longest is None else f"{of.longest} {of.counting}"
    yield "longest text", f"{longest}, then split" if of.splits else longest
    files = "none" if of.files is None else f"{of.files.count}, {of.files.bytes_each >> 20} MiB each"
    yield "files", files
    yield "HTML, Markdown, subject", _yes(of.html, of.markdown, of.subject)
    yield "edit, delete what we sent", _yes(of.edit, of.delete)
    yield "hide what customers wrote in public", _yes(of.hide)
    hours = None if of.reply_window_seconds is None else of.reply_window_seconds / 3600
    yield "time to answer", "no limit" if hours is None else f"{hours:g} h after the last message"
    yield "seen by", "everybody" if of.visibility == "public" else "those who take part"
    yield "customers edit, delete, react", _yes(of.customer_edits, of.customer_deletes, of.reactions)
    yield "receipts, own echo", _yes(of.receipts, of.echoes)


def _yes(*claims: bool) -> str:
    return ", ".join("yes" if each else "no" for each in claims)


def _quality(known: list[Channel[Any]]) -> str:
    parts = [
        "## Quality scale",
        "A tier is reached when none of its rules, and none of those before, is open.",
    ]
    for tier, meaning in TIERS.items():
        rules = [rule for rule, (of, _) in RULES.items() if of is tier]
        rows = [
            (code(str(rule)), RULES[rule][1], *(_state(each, str(rule)) for each in known)) for rule in rules
        ]
        columns = ("rule", "means", *(each.title for each in known))
        parts.append(f"### {tier.value}. {meaning.capitalize()}\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


def _state(channel: Channel[Any], rule: str) -> str:
    if rule in channel.quality.done:
        return DONE
    return EXEMPT if rule in channel.quality.exempt else f"**{OPEN}**"


def _exemptions(known: list[Channel[Any]]) -> str:
    rows = [
        (each.title, code(str(rule)), reason)
        for each in known
        for rule, reason in each.quality.exempt.items()
    ]
    return "## Why exempt\n\n" + table(("channel", "rule", "reason"), rows)
