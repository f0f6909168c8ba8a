"""A standard test that is switched off proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.overrides import overridden
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    project = subject.package.project
    if project is None:
        raise Skipped("installed from a wheel: its tests are not here")
    for path in sorted(project.rglob("test*.py")):
        if not any(part.startswith(".") for part in path.relative_to(project).parts):
            for line, test in overridden(path):
                yield Finding(
                    f"{test} is overridden",
                    "it is inherited, or only marked: @pytest.mark.xfail(reason=…) above a call of super()",
                    f"{path.relative_to(project)}:{line}",
                )


RULE = Rule(
    name="package-keeps-standard-tests",
    tier="gold",
    title="Tests that its contract classes bring are overridden only with xfail and a reason.",
    why="Otherwise whoever reads `all passed` believes what nobody has looked at.",
    mend=(
        "Take the override away, or say why the test fails: @pytest.mark.xfail(reason=…). An exemption in "
        "check.toml says it for check-plugin too."
    ),
    corrected="""
class TestMyModel(ModelContract):
    plugin, component = "signals", "conv"

    @pytest.mark.xfail(reason="its fast Fourier transform has no words in torch.export")
    def test_model_exports(self):
        super().test_model_exports()
""",
    check=check,
)
