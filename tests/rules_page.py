"""The reference of the conformance kit's rules, made from the rules."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.rule import GROUPS, Rule
from dlkit.testing.rules import find_rule, rule_names

_ABOUT = {
    "package": "Files alone are read: no code of the plugin runs.",
    "loading": "The entry point is imported in a fresh process, and what that does is watched.",
    "options": "What may be set: its declaration, its schema, its form, its file.",
    "data": "Splits, samples, `info`, fingerprints.",
    "model": "Networks, built as a run builds them.",
    "loss": "What is minimised.",
    "learning": "Whether it learns.",
    "engine": "Runs, stopped and resumed, looked at and left alone, in one process and in several.",
    "metrics": "What is measured.",
    "samples": "What is shown.",
    "predictor": "What is asked and answered.",
    "robust": "What nobody has tried.",
}


def rules_page() -> str:
    """Every rule with its tier, why it is there, and how to mend what it finds."""
    rules = [find_rule(name) for name in rule_names()]
    lines = ["# Rules of the conformance kit", "", _HEAD.strip()]
    for group in GROUPS:
        of_group = [rule for rule in rules if rule.group == group]
        lines += ["", f"## {group}", "", _ABOUT[group], "", "| rule | tier | for | |", "|---|---|---|---|"]
        lines += [
            f"| [`{rule.name}`](#{rule.name}) | {rule.tier} | {_kinds(rule)} | {rule.title} |" for rule in of_group
        ]
        for rule in of_group:
            lines += ["", *_section(rule)]
    return "\n".join(lines)


_HEAD = """
`dlkit check-plugin NAME` (or the folder of a project) holds every rule against a plugin; `--quick` leaves out what
takes long, and takes fewer examples. `dlkit.testing.contracts` has the same as classes of tests for pytest.

A plugin is *bronze* if it keeps the rules of bronze (it loads and trains), *silver* with those of silver too (it keeps
its contracts), *gold* with all. What cannot be looked at, without a GPU say, does not count against it. A rule that
does not hold of a component is explained in `check.toml`, beside the code:

```toml
[[small]]                       # how everything takes seconds; later entries win
task = "classification"         # for which task; without: for all
when = {model = "cnn"}          # and with which components
model = {channels = [2, 4]}     # sections as in run.toml; {here} in a text is the file's folder
stated = {overfit_loss = 0.05}  # what rules want to know

[[exempt]]
rule = "model-exports"
component = "model cnn"         # without: all of the plugin's
why = "Its convolution is written by hand, and torch.export has no words for it."
```

`dlkit check-plugin NAME --record` keeps the tier in the package, as `checked.json` beside the code, where
`dlkit plugins` and the interface find it without running anything.
"""


def _kinds(rule: Rule) -> str:
    return ", ".join(rule.kinds) or "the plugin"


def _section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.name}"
    yield ""
    yield f"{rule.title} {rule.why}"
    yield ""
    yield f"*{rule.tier.capitalize()}{'' if rule.quick else ', not with --quick'}.* {rule.mend}"
    for head, code in (("Instead of", rule.buggy), ("write" if rule.buggy else "So it is right", rule.corrected)):
        if code:
            language = "toml" if code.strip().startswith(("[", "dependencies")) else "text"
            yield from ("", f"{head}:", "", f"```{language}", *code.strip("\n").splitlines(), "```")
