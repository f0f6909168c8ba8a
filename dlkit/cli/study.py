"""``dlkit study …``: which settings are better, and whether that is more than luck. One module for each action."""

from __future__ import annotations

from importlib import import_module

from dlkit.cli.parser import asks_for_help
from dlkit.present.output import print_result

ACTIONS = {
    "list": ("study_list", "the studies of the workspace, newest first"),
    "show": ("study_show", "one study: the answer, what it rests on, every setting"),
    "watch": ("study_watch", "the same while it goes on; Ctrl-C leaves it going"),
    "stop": ("study_stop", "start no more trials, and stop those that run; their checkpoints stay"),
    "resume": ("study_resume", "go on: nothing that has ended again, what was cut short from its checkpoint"),
    "extend": ("study_extend", "more seeds (--seeds N), or more settings (--trials N)"),
    "best": ("study_best", "the best setting as a command, as run.toml, and on test"),
    "remove": ("study_remove", "delete studies; --runs: their runs too"),
}

_USAGE = """usage: dlkit study TASK --vary KEY=VALUES … [OPTION VALUE …]
       dlkit study {actions} …

{lines}

  dlkit study TASK --help    what can be varied, and how
  dlkit study ACTION --help  the options of an action

S is a study's id, its unique beginning or end, its name, last or last~N.

Start with:  dlkit study regression --vary trainer.lr=0.003,0.01,0.03 --seeds 3"""


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        lines = "\n".join(f"  {name:6}  {summary}" for name, (_, summary) in ACTIONS.items())
        print_result(_USAGE.format(actions=" | ".join(ACTIONS), lines=lines))
        return 0
    module, words = ("study_start", argv) if argv[0] not in ACTIONS else (ACTIONS[argv[0]][0], argv[1:])
    if module == "study_start" and asks_for_help(argv):
        from dlkit.cli.study_words import USAGE

        print_result("\n".join([USAGE, *_recipes(argv)]))
        return 0
    return int(import_module(f"dlkit.cli.{module}").main(words))


def _recipes(words: list[str]) -> list[str]:
    """Those of the task that a line names."""
    from dlkit.catalog import Catalog
    from dlkit.studies.recipes import recipes

    catalog = Catalog.load_everything()
    task = next((spec.name for spec in catalog.specs("task") if spec.name in words), None)
    found = recipes(catalog, task) if task is not None else []
    width = max((len(one.name) for one in found), default=0)
    return ["", "recipes:", *(f"  {one.name:{width}}  {one.summary}" for one in found)] if found else []
