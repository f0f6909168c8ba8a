"""What has no licence may not be used."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    metadata = subject.package.metadata
    classifiers = metadata.get("Classifier", [])
    classified = any(str(one).startswith("License ::") for one in classifiers)
    if not (metadata.get("License-Expression") or metadata.get("License") or classified):
        yield Finding("no licence", 'license = "Apache-2.0", or whatever you grant', "pyproject.toml: [project]")


RULE = Rule(
    name="package-licensed",
    tier="silver",
    title="The package has a licence.",
    why="Without one nobody may copy, change or pass it on, whatever you meant.",
    mend="Name it by its SPDX identifier in pyproject.toml, and add the text as LICENSE.",
    corrected="""
[project]
license = "Apache-2.0"
license-files = ["LICENSE"]
""",
    check=check,
)
