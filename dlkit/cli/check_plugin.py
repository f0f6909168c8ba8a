"""``dlkit check-plugin``: whether a plugin keeps what its contracts say, rule by rule, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from dlkit import __version__
from dlkit.cli.parser import Parser
from dlkit.errors import STOPPED, PluginError, UsageError
from dlkit.present.output import print_json, print_result, say
from dlkit.testing.check import Check
from dlkit.testing.look import Look, LookRecord, broken, tier_of, told
from dlkit.testing.package import Package, installed_package, package_at
from dlkit.testing.record import FILE, Record, hash_of, write_record
from dlkit.testing.rule import Rule
from dlkit.testing.rules import find_rule, rule_names


class CheckReport(TypedDict):
    """What ``--json`` gives. ``tier`` is null where not even the lowest is reached, or where not everything was looked
    at (``complete``: all rules, not ``--quick``, not stopped)."""

    distribution: str
    version: str
    kit: str
    plugins: list[str]
    complete: bool
    kept: bool
    tier: str | None
    looks: list[LookRecord]


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    if options.record and (options.quick or options.only or options.component):
        raise UsageError("--record keeps the tier, which takes all rules: no --quick, --only or --component with it")
    package = _package(options.plugin)
    names = [find_rule(name).name for name in options.only] or rule_names()
    rules = [name for name in rule_names() if name in names and (find_rule(name).quick or not options.quick)]
    check = Check(package, rules, options.quick, components=options.component)
    looks: list[Look] = []
    stopped = False
    try:
        for rule, found in _by_rule(check.looks(), looks):
            if not options.json:
                _say_rule(rule, found)
    except KeyboardInterrupt:
        stopped = True
    if options.component and not (looks or stopped):
        raise UsageError(f"--component {options.component[0]!r}: nothing has that name; it is as in 'model cnn'")
    complete = not (stopped or options.only or options.quick or options.component)
    if options.record and complete:
        _record(package, looks)
    if options.json:
        print_json(_report(package, looks, complete))
    else:
        print_result(_text(package, looks, complete, stopped))
    return STOPPED if stopped else PluginError.exit_code if broken(looks) else 0


def _parser() -> Parser:
    parser = Parser("check-plugin", "Whether a plugin keeps its contracts, rule by rule; exit code 4 if not.")
    parser.add_argument("plugin", metavar="NAME|PATH", help="a plugin's or its package's name, or its project's folder")
    parser.add_argument("--only", metavar="RULE", action="append", default=[], help="this rule alone; several times")
    about = "this component alone, as 'model cnn'; several times"
    parser.add_argument("--component", metavar="NAME", action="append", default=[], help=about)
    parser.add_argument("--quick", action="store_true", help="in seconds: fewer rules, fewer examples, no tier")
    parser.add_argument("--record", action="store_true", help="keep the tier in the package, for lists to show")
    return parser.with_json()


def _record(package: Package, looks: Sequence[Look]) -> None:
    """Of each of its plugins, in the file that goes along with its code."""
    file = package.beside(FILE)
    assert file is not None, "its rules have found code"
    found = {}
    for plugin in package.entry_points:
        own = [look for look in looks if look.plugin in ("", plugin)]
        exempt = {look.rule.name: look.reason for look in own if look.state == "exempt"}
        found[plugin] = Record(tier_of(own) or "", package.version, __version__, exempt, hash_of(file))
    write_record(file, found)


def _package(word: str) -> Package:
    folder = Path(word)
    is_path = "/" in word or word == "." or (folder / "pyproject.toml").is_file()
    return package_at(folder) if is_path else installed_package(word)


def _by_rule(looks: Iterator[Look], kept: list[Look]) -> Iterator[tuple[Rule, list[Look]]]:
    """The looks of one rule after the other's, as soon as all of it are there; each is put into ``kept`` at once."""
    current: list[Look] = []
    for look in looks:
        if current and (look.rule.name, look.plugin) != (current[0].rule.name, current[0].plugin):
            yield current[0].rule, current
            current = []
        current.append(look)
        kept.append(look)
    if current:
        yield current[0].rule, current


_MARKS = {"broken": "✗", "exempt": "○", "kept": "✓", "skipped": "–"}
"""The first of these states that one of a rule's looks has stands for the rule."""


def _say_rule(rule: Rule, looks: Sequence[Look]) -> None:
    """Progress: a line a rule."""
    states = [look.state for look in looks]
    mark = next(sign for state, sign in _MARKS.items() if state in states)
    counts = [f"{states.count(state)} {state}" for state in _MARKS if state in states]
    number = f"{len(looks)}" if len(set(states)) == 1 else ", ".join(counts)
    seconds = sum(look.seconds for look in looks)
    say(f"{mark} {rule.name:<34} {number:<24} {seconds:6.1f} s")


def _report(package: Package, looks: Sequence[Look], complete: bool) -> CheckReport:
    return {
        "distribution": package.distribution,
        "version": package.version,
        "kit": __version__,
        "plugins": list(package.entry_points),
        "complete": complete,
        "kept": not broken(looks),
        "tier": tier_of(looks) if complete else None,
        "looks": [look.record() for look in looks],
    }


def _text(package: Package, looks: Sequence[Look], complete: bool, stopped: bool) -> str:
    """The verdict, then what is broken with how to mend it, then what was passed over."""
    faults = broken(looks)
    lines = [_verdict(package, looks, complete, stopped)]
    for rule in dict.fromkeys(look.rule.name for look in faults):
        lines += ["", *told([look for look in faults if look.rule.name == rule])]
    for state, head in (("exempt", "exempt"), ("skipped", "not looked at")):
        passed = [look for look in looks if look.state == state]
        if passed:
            lines += ["", f"{head}:", *_reasons(passed)]
    return "\n".join(lines)


def _verdict(package: Package, looks: Sequence[Look], complete: bool, stopped: bool) -> str:
    who = f"{package.distribution} {package.version}".strip() or ", ".join(package.entry_points)
    rules = len({look.rule.name for look in looks})
    faults = len({look.rule.name for look in broken(looks)})
    found = f"{faults} of {rules} rules broken" if faults else f"all {rules} rules kept"
    if stopped:
        return f"{who}: stopped: {found} so far"
    tier = tier_of(looks)
    if complete:
        return f"{who}: {tier or 'no tier'}, {found}"
    return f"{who}: {found}, of those that were asked for; a tier takes all of them"


def _reasons(looks: Sequence[Look]) -> Iterator[str]:
    """Each reason once, with the rules and the components that it is for."""
    together: dict[tuple[str, str], list[str]] = {}
    for look in looks:
        together.setdefault((look.component, look.reason), []).append(look.rule.name)
    for (component, reason), rules in together.items():
        shown = dict.fromkeys(rules)
        names = f"{len(shown)} rules" if len(shown) > _NAMED_RULES else ", ".join(shown)
        yield f"  {component + ': ' if component else ''}{reason} ({names})"


_NAMED_RULES = 3
"""That are named in a line; of more the number."""
