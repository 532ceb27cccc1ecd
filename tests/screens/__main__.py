"""`python -m tests.screens [--keep]`: pictures of the console into build/screenshots, compared with those kept.

Exit 1 when one differs. With --keep they become the ones that are kept, and those of the documentation, after somebody has looked at them.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.screens.comparing import REFERENCES, difference, keep
from tests.screens.shots import emptied, plain_browser, taken, why_not
from tests.support.paths import ROOT

MADE = Path("build/screenshots")
SHOWN = {
    "case-light": ("agents/case.png", "images/case.png"),
    "case-dark": ("agents/case-dark.png",),
    "list-phone": ("agents/phone.png",),
    "case-phone": ("agents/phone-case.png",),
}
"""Pictures that the documentation shows."""


async def main(is_keeping: bool) -> int:
    differing = 0
    async with plain_browser() as browser:
        async for picture in taken(emptied(MADE), browser):
            found = difference(picture, REFERENCES / picture.name)
            if is_keeping and found.share:
                keep(picture, REFERENCES / picture.name)
            for place in SHOWN.get(picture.stem, ()) if is_keeping else ():
                keep(picture, ROOT / "docs" / place, 128)
            if found:
                differing += 1
                print(f"{picture}: {found.reason}{' - kept' if is_keeping else ''}")
    return int(differing > 0 and not is_keeping)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep these to compare with")
    arguments = parser.parse_args()
    if missing := why_not():
        sys.exit(missing)
    sys.exit(asyncio.run(main(arguments.keep)))
