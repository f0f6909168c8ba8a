"""A plugin says which dlkit it was written for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

_NAME = re.compile(r"dlkit(?![\w.-])\s*(\[[\w,\s-]*\])?(?P<bounds>[^;]*)", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    requires = subject.package.metadata.get("Requires-Dist", [])
    found = [match for one in requires if (match := _NAME.fullmatch(str(one).partition(";")[0].strip()))]
    where, right = (
        "pyproject.toml: dependencies",
        '"dlkit>=0.1,<1": from the version that you use, below the next that may break it',
    )
    if not found:
        yield Finding("dlkit is not among the dependencies", right, where)
    for match in found:
        bounds = match["bounds"].strip(" ()")
        if not any(sign in bounds for sign in (">=", "==", "~=")):
            yield Finding(f"no lower bound: {match[0]!r}", right, where)
        if not any(sign in bounds for sign in ("<", "==", "~=")):
            yield Finding(f"no upper bound: {match[0]!r}", right, where)


RULE = Rule(
    name="package-bounds-dlkit",
    tier="gold",
    title="The package depends on dlkit, with a lower and an upper bound.",
    why=("Without bounds an installer takes whatever there is, and what breaks is told in a traceback."),
    mend="Bound it below by what you have tried, above by the next major version.",
    buggy="""
dependencies = ["dlkit"]
""",
    corrected="""
dependencies = ["dlkit>=0.1,<1"]
""",
    check=check,
)
