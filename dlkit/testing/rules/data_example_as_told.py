"""Whoever has files of their own looks at an example first, and compares."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    from pydantic import ValidationError

    from dlkit.components import DatasetSpec
    from dlkit.data.example import write_example
    from dlkit.errors import DlkitError

    spec = subject.spec
    assert isinstance(spec, DatasetSpec)
    if not spec.example:
        raise Skipped("it reads no files of somebody's own: it has no example")
    folders = [subject.folder("example") for _ in range(2)]
    try:
        found = [write_example(subject.catalog, spec, folder) for folder in folders]
    except DlkitError as error:
        yield Finding(str(error), "it is written, and says what each of its files is", spec.example)
        return
    first, second = map(_contents, folders)
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            yield Finding(f"{name} is another one each time", "the same files every time", spec.example)
    try:
        subject.options().model_validate(dict(found[0].options))
    except ValidationError as error:
        problem = error.errors()[0]
        seen = f"its options are refused: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        yield Finding(seen, "the data set's options that read it", spec.example)


def _contents(folder: Path) -> dict[str, str]:
    """The hash of each file, by its path in the folder."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


RULE = Rule(
    name="data-example-as-told",
    tier="silver",
    kinds=("dataset",),
    title="The example of what a data set reads is the same every time, explained file by file, and fits its options.",
    why="`dlkit data example` writes it for people who prepare files of their own; the kit tries the data set with it.",
    mend="Draw it with dlkit.data.seeds.rng, name each file (or its folder, ending in /) in Example.files, and return "
    "the options that read it.",
    buggy="""
def write(folder):
    (folder / "rows.csv").write_text(table(random.random()))
    return Example({"file": "rows.csv"}, {})
""",
    corrected="""
def write(folder):
    (folder / "rows.csv").write_text(table(rng(0, "example").random()))
    return Example({"path": str(folder / "rows.csv")}, {"rows.csv": "a header, then a row a sample"})
""",
    check=check,
)
