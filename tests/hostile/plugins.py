"""Plugins that disturb: one way of it each, as the source of an entry-point module.

Where ``{good}`` stands in a source, the plugin offers a model all the same.
"""

from __future__ import annotations

from typing import NamedTuple

GOOD = """
from dlkit import ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [ModelSpec(name="of-{name}", task="toy", summary="s", target="toy_parts:build_linear")]
"""
HOOK = """
from dlkit import *
from dlkit import hookimpl

@hookimpl
def dlkit_models():
    {body}
"""


class Hostile(NamedTuple):
    """``state`` is what becomes of it, ``named`` what `dlkit plugins` says of it."""

    source: str
    named: str
    state: str = "broken"


def _model(**fields: str) -> str:
    given = {"name": "'m'", "task": "'toy'", "summary": "'s'", "target": "'m:x'"} | fields
    return f"[ModelSpec({', '.join(f'{name}={value}' for name, value in given.items())})]"


def _hook(body: str, before: str = "") -> str:
    return before + HOOK.format(body=body)


TOGETHER = {
    # What ends, or tries to
    "exits": Hostile("import sys; sys.exit(3)", "SystemExit: 3"),
    "exits-hard": Hostile("import os; os._exit(3)", "_exit(3,) while it was imported"),
    "aborts": Hostile("import os; os.abort()", "abort() while it was imported"),
    "interrupts": Hostile("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "raises": Hostile("1 / 0", "ZeroDivisionError: division by zero"),
    "raises-strangely": Hostile(
        "class Odd(BaseException):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise Odd", "Odd"
    ),
    "raises-in-a-hook": Hostile(_hook("raise KeyError('hook')"), "KeyError: 'hook'"),
    "exits-in-a-hook": Hostile(_hook("import os; os._exit(0)"), "_exit(0,)"),
    "recurses": Hostile("def f(): f()\nf()", "RecursionError"),
    "takes-all-memory": Hostile("x = bytearray(1 << 60)", "MemoryError"),
    "handles-signals": Hostile(
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)", "ValueError: signal only works in main thread"
    ),
    # What says too much
    "prints": Hostile("print('look at me')\n{good}", "printed 'look at me'", "ready"),
    "writes-to-stdout": Hostile("import os; os.write(1, b'raw words\\n')\n{good}", "wrote 'raw words' to", "ready"),
    "prints-in-c": Hostile(
        "import ctypes; libc = ctypes.CDLL(None); libc.puts(b'words of C'); libc.fflush(None)\n{good}",
        "wrote 'words of C' to stdout",
        "ready",
    ),
    "closes-stdout": Hostile("import sys; sys.stdout.close(); sys.__stdout__.close()\n{good}", "closed ", "ready"),
    "closes-descriptors": Hostile("import os; os.close(1); os.close(2)\n{good}", "closed or replaced stdout", "ready"),
    "takes-stdout": Hostile("import io, sys; sys.stdout = io.StringIO()\n{good}", "changed sys.stdout", "ready"),
    # What changes the process
    "patches-builtins": Hostile(
        "import builtins\nbuiltins.print = builtins.open = None\n{good}", "changed builtins.print", "ready"
    ),
    "patches-json": Hostile("import json; json.dumps = lambda *a, **k: '{{}}'\n{good}", "changed json.dumps", "ready"),
    "patches-dlkit": Hostile(
        "import dlkit.catalog as c\nc.Catalog.specs = lambda *a, **k: []\n{good}",
        "changed dlkit.catalog.Catalog.specs",
        "ready",
    ),
    "swaps-modules": Hostile("import sys; sys.modules['json'] = None\n{good}", "replaced the module json", "ready"),
    "takes-excepthook": Hostile("import sys; sys.excepthook = print\n{good}", "changed sys.excepthook", "ready"),
    "silences": Hostile(
        "import logging, warnings\nwarnings.simplefilter('ignore'); logging.disable(50)\n{good}",
        "changed logging",
        "ready",
    ),
    "moves": Hostile("import os; os.chdir('/')\n{good}", "changed the current folder", "ready"),
    "sets-environment": Hostile(
        "import os; os.environ['DLKIT_OFFLINE'] = '1'; os.environ.pop('HOME', None)\n{good}",
        "changed the environment: DLKIT_OFFLINE, HOME",
        "ready",
    ),
    "sets-locale": Hostile(
        "import locale; locale.setlocale(locale.LC_ALL, 'C')\nimport sys; sys.setrecursionlimit(150)\n{good}",
        "changed the recursion limit",
        "ready",
    ),
    "inserts-a-path": Hostile("import sys; sys.path.insert(0, '/nowhere')\n{good}", "changed sys.path", "ready"),
    "starts-threads": Hostile(
        "from threading import *\nThread(target=Event().wait, name='spy', daemon=False).start()\n"
        "{good}",
        "left 1 thread running: spy",
        "ready",
    ),
    "leaks-files": Hostile("import os\nx = [open(os.devnull) for _ in range(100)]\n{good}", "files open"),
    # What declares nonsense
    "is-slow": Hostile("import time; time.sleep(0.6)\n{good}", "took 0.6 s to import", "slow"),
    "wants-another-dlkit": Hostile("dlkit_api_version = (99, 0)\n{good}", "for a newer plugin interface, 99.0"),
    "returns-a-number": Hostile(_hook("return 3"), "returned int, not a list"),
    "never-stops-returning": Hostile(
        _hook(f"while True: yield {_model()}[0]"), "returned more than 10000 components"
    ),
    "names-itself-oddly": Hostile(_hook(f"return {_model(name='3')}"), "model name 3 is not made of"),
    "belongs-to-a-number": Hostile(_hook(f"return {_model(task='3')}"), "neither a name nor a tuple of names"),
    "pretends-to-be-text": Hostile(
        _hook(f"return {_model(name='''Odd('m')''')}",
              "class Odd(str):\n    def __eq__(self, other): raise MemoryError\n"
              "    def __lt__(self, other): raise MemoryError\n    __hash__ = str.__hash__\n"),
        "holds a",
    ),
    "computes-its-fields": Hostile(
        _hook("return [Odd(name='m', task='toy', summary='s', target='m:x')]",
              "from dlkit import ModelSpec\nclass Odd(ModelSpec):\n    tasks = property(lambda self: 1 / 0)\n"),
        "is a class of the plugin's own",
    ),
    "writes-a-novel": Hostile(_hook(f"return {_model(summary='''10_000_000 * 'x' ''')}"), "has 10000000 letters"),
    "is-endlessly-deep": Hostile(
        _hook(f"a = []; a.append(a); return {_model(suggest='''(Suggest(settings={'a': a}),)''')}"),
        "more than 20 levels",
    ),
    "laughs-a-billion-times": Hostile(
        _hook(
            "a = [1]\n    for _ in range(15): a = [a] * 40\n"
            f"    return {_model(suggest='''(Suggest(settings={'a': a}),)''')}"
        ),
        "holds more than 100000 values",
    ),
    "shadows-a-name": Hostile(
        _hook(f"return {_model(name=repr('linear'))}"), "model 'linear' for task 'toy' is already offered by", "ready"
    ),
    "misspells-a-hook": Hostile(_hook("return []").replace("dlkit_models", "dlkit_modles"), "dlkit_modles"),
}  # fmt: skip
"""Those that any number of can be installed together."""

CRASHES = {
    "segfault": Hostile("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "kill": Hostile("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "exit-of-c": Hostile("import ctypes; ctypes.CDLL(None)._exit(7)", "with exit code 7"),
    "memory": Hostile(
        "import os, resource, signal\n"
        "if resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)  # as the system does it to who takes all\n"
        "x = []\n"
        "while True: x.append(bytearray(1 << 30))",
        "MemoryError",
    ),
    "hook": Hostile(_hook("import ctypes; ctypes.CDLL(None).abort()"), "SIGABRT"),
}
"""Those that end the process, whatever it does against it."""
HANGS = {
    "sleeps": "import time; time.sleep(3600)",
    "hangs-in-a-hook": _hook("import threading; threading.Event().wait()"),
    "catches-everything": "import time\nwhile True:\n    try: time.sleep(3600)\n    except BaseException: pass",
}


def source(name: str, hostile: Hostile) -> str:
    text = hostile.source
    if "{good}" in text:
        text = text.replace("{good}", GOOD.format(name=name)).replace("{{}}", "{}")
    return text
