"""Reads the licence of every installed package that the product needs to run; exit 1 if one is not known to be permissive.

Weak copyleft by file (MPL-2.0) is accepted: it asks nothing of code beside it. GPL, LGPL and AGPL are not.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT = "hubbub"
ACCEPTED = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0",
    "PSF-2.0", "Unlicense", "Zlib", "any-OSI",
}  # fmt: skip
# Older metadata says it in words.
SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


def stated_licence(package: Distribution) -> str:
    """An SPDX expression as far as the package states one: its own, its short licence field, else its classifiers."""
    metadata = package.metadata
    for expression in metadata.get_all("License-Expression") or []:
        return str(expression)
    classifiers = [
        classifier.rpartition(" :: ")[2]
        for classifier in metadata.get_all("Classifier") or []
        if classifier.startswith("License :: ") and classifier != "License :: OSI Approved"
    ]
    stated = "\n".join(metadata.get_all("License") or [])
    if stated and "\n" not in stated and len(stated) < 60:
        return SPELLINGS.get(stated, stated)
    # Several classifiers do not say whether all hold or one may be chosen; the strict reading is all.
    return " AND ".join(SPELLINGS.get(each, each.replace(" ", "-")) for each in classifiers) or "nothing"


def is_accepted(expression: str) -> bool:
    """Whether a choice that the expression offers is accepted in all its parts. AND binds tighter than OR."""
    if "(" in expression:  # not split further: then every licence named has to be accepted
        return all(
            term in ACCEPTED for term in re.findall(r"[\w.+-]+", expression) if term not in {"AND", "OR"}
        )
    return any(
        all(term.strip() in ACCEPTED for term in re.split(r"\s+AND\s+", choice))
        for choice in re.split(r"\s+OR\s+", expression)
    )


def needed(product: str) -> Iterator[Distribution]:
    """The packages that the product needs here, directly or through others."""
    waiting, seen = [product], {canonicalize_name(product)}
    while waiting:
        for line in distribution(waiting.pop()).requires or []:
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            seen.add(name)
            waiting.append(name)
            yield distribution(name)


def refusals(packages: Iterable[Distribution]) -> Iterator[str]:
    for package in packages:
        licence = stated_licence(package)
        if not is_accepted(licence):
            yield f"{package.name} {package.version} is under {licence}, which is not in ACCEPTED of .ci/check_licences.py"


def main() -> int:
    try:
        packages = sorted(needed(PRODUCT), key=lambda package: package.name.lower())
    except PackageNotFoundError as missing:
        print(f"{missing}; run `make setup`", file=sys.stderr)
        return 1
    if "--list" in sys.argv[1:]:
        for package in packages:
            print(f"{package.name} {package.version}: {stated_licence(package)}")
    found = list(refusals(packages))
    for refusal in found:
        print(refusal, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
