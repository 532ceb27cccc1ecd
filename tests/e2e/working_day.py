"""Agents at work in browsers: by the keyboard alone, by the mouse, on a phone. Each counts its strokes and times its cases."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.async_api import Error, Page, expect

from tests.e2e.hubs import HubProcess

UNASSIGNED = "/console/views/unassigned"
PATIENCE_MS = 15_000
ANSWER = "Dear customer, this is looked after. {name}"


@dataclass
class Worked:
    """What one agent did."""

    cases: list[float] = field(default_factory=list)
    """Seconds for each, from opening it to the next."""
    strokes: int = 0
    """Keys pressed (those held together are one stroke), clicks and taps; the letters of answers are not counted."""
    troubles: int = 0
    """How often the page was loaded again because something did not answer."""


@dataclass
class Agent:
    """Answers and resolves what nobody has, until `is_over` says that the day is."""

    name: str
    page: Page
    hub: HubProcess
    is_over: Callable[[], bool]
    worked: Worked = field(default_factory=Worked)
    pause: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: the agent lays hands in the lap after the case at hand."""

    def __post_init__(self) -> None:
        self.pause.set()

    async def work(self) -> None:
        while not self.is_over():
            await self.pause.wait()
            began = time.perf_counter()
            try:
                if await self.next_case():
                    self.worked.cases.append(time.perf_counter() - began)
                else:
                    await asyncio.sleep(0.3)
            except (
                Error,
                AssertionError,
            ):  # the hub is away, or a colleague was first: look anew, as a person does
                self.worked.troubles += 1
                await asyncio.sleep(0.5)

    async def next_case(self) -> bool:
        """Opens the first case that nobody has, takes it, answers, resolves. False when there is none."""
        page = self.page
        await page.goto(f"{self.hub.console}{UNASSIGNED}")
        if not await page.locator("#rows a[href]").count():
            return False
        await self.open_first()
        await page.locator("#case-title").wait_for()
        if await page.locator(".facts").get_by_text("Nobody has it").count():
            await self.claim()
            await expect(page.locator(".facts")).to_contain_text("You have it", timeout=PATIENCE_MS)
        elif not await page.locator(".facts").get_by_text("You have it").count():
            return True  # a colleague was faster
        await self.answer_and_resolve()
        return True

    async def finish(self) -> None:
        """What was begun and cut off: each case that is mine is looked at again, and answered only if it was not."""
        page = self.page
        for _ in range(20):
            await page.goto(f"{self.hub.console}/console/views/mine")
            if not await page.locator("#rows a[href]").count():
                return
            await page.locator("#rows a[href]").first.click()
            await page.locator("#case-title").wait_for()
            if await page.locator(".message.ours").count():
                await page.locator("[data-key=e]").click()
                await page.wait_for_timeout(300)
            else:
                await self.answer_and_resolve()

    async def open_first(self) -> None:
        raise NotImplementedError

    async def claim(self) -> None:
        raise NotImplementedError

    async def answer_and_resolve(self) -> None:
        raise NotImplementedError

    async def gone(self, number: str) -> None:
        """Waits until another case stands where this one stood, or, where it was the last one, until it is resolved."""
        page = self.page
        resolved = page.locator(".facts").get_by_text("Resolved", exact=True)
        left = page.locator(f"#case[data-number='{number}']").filter(has_not=resolved)
        await expect(left).to_have_count(0, timeout=PATIENCE_MS)

    async def number(self) -> str:
        found = await self.page.locator("#case").get_attribute("data-number")
        assert found
        return found


class ByKeyboard(Agent):
    """No mouse at all."""

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)
            self.worked.strokes += 1

    async def open_first(self) -> None:
        await self.press("j", "Enter")

    async def claim(self) -> None:
        await self.press("c")

    async def answer_and_resolve(self) -> None:
        page, number = self.page, await self.number()
        await self.press("r")
        await page.keyboard.insert_text(ANSWER.format(name=self.name))
        await self.press("Control+Shift+Enter")
        await self.gone(number)


class ByMouse(Agent):
    """Clicks; the keyboard only writes the answers."""

    async def press(self, selector: str) -> None:
        await self.page.locator(selector).first.click(timeout=PATIENCE_MS)
        self.worked.strokes += 1

    async def open_first(self) -> None:
        await self.press("#rows a[href]")

    async def claim(self) -> None:
        await self.press("#case [data-key=c]")

    async def answer_and_resolve(self) -> None:
        number = await self.number()
        await self.press("#compose")
        await self.page.keyboard.insert_text(ANSWER.format(name=self.name))
        await self.press(".send-resolve")
        await self.gone(number)


class OnPhone(ByMouse):
    """One column at a time, and fingers."""

    async def press(self, selector: str) -> None:
        await self.page.locator(selector).first.tap(timeout=PATIENCE_MS)
        self.worked.strokes += 1
