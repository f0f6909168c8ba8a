"""What belongs to no screen: areas, help, palette, keys of one's own, themes, troubles."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual.widgets
from hypothesis import given
from hypothesis import strategies as st
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.widget import Widget
from textual.worker import WorkerFailed

from dlkit.tui.app import FIRST, DlkitApp, is_teardown_error
from dlkit.tui.keys.file import all_bindings, write_keys_file
from dlkit.tui.keys.help import HelpScreen
from dlkit.tui.shared import settings
from dlkit.tui.shared.area import AREAS
from dlkit.tui.shared.main_keys import MainKeys
from dlkit.tui.shared.poll import Poller
from dlkit.tui.shared.settings import DARK, LIGHT, keymap, keys_file, theme
from dlkit.tui.shared.table import Table
from recorded import record_run
from screens import notices, opened, press, shown, until
from terminal import Terminal
from waiting import LONG

AREA_KEYS = dict(zip("12345", AREAS, strict=True))


async def test_areas_by_key_and_by_mouse(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        for key, mode in AREA_KEYS.items():
            await press(pilot, key)
            assert app.current_mode == mode
        await pilot.click("TopLine AreaName:first-child")
        await until(pilot, lambda: app.current_mode == "home")
    assert set(FIRST) == set(AREAS)


def test_no_widget_is_styled_by_a_stranger_of_its_name() -> None:
    """A style sheet finds widgets by their class's name, whichever module it is in: what Textual says of its ``Bar``,
    once it has shown progress, holds for every ``Bar`` from then on."""
    all_bindings()  # imports all of the interface
    assert all(hasattr(textual.widgets, name) for name in textual.widgets.__all__)  # which imports them
    modules = defaultdict(set)
    for kind in descendants(DOMNode):
        if kind.__module__.startswith(("dlkit.", "textual.")):
            modules[kind.__name__].add(kind.__module__)
    ours = {name: found for name, found in modules.items() if any(module.startswith("dlkit.") for module in found)}
    assert ours
    assert not [f"{name}: {sorted(found)}" for name, found in ours.items() if len(found) > 1]


def descendants(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 12), (20, 6)])
async def test_every_area_fits_every_window(tmp_path: Path, size: tuple[int, int]) -> None:
    record_run(tmp_path)
    async with opened(tmp_path, size) as (app, pilot):
        for key in AREA_KEYS:
            await press(pilot, key)
            lines = shown(app).splitlines()
            assert len(lines) <= size[1] and max(map(len, lines)) <= size[0]


async def test_help_shows_what_works_here(tmp_path: Path) -> None:
    async with opened(tmp_path, (100, 60)) as (app, pilot):
        await press(pilot, "2", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = shown(app)
        assert all(
            word in text for word in ("Filter", "Compare", "Everywhere", "Playground", "First steps", "keys.toml")
        )
        await press(pilot, "escape")
        assert app.current_mode == "runs" and not isinstance(app.screen, HelpScreen)
        assert "without use" in text and text.index("without use") < text.index("Compare"), "there is no run"
        record_run(tmp_path)
        await until(pilot, lambda: app.summaries and app.screen.query_one(Table).rows)
        await press(pilot, "question_mark")
        assert "without use" not in shown(app)


async def test_palette_has_actions_tasks_and_runs(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2")
        titles = [command.title for command in app.get_system_commands(app.screen)]
        for wanted in ("Filter", "Stop", "Home", "Help", "Train regression", f"Open run try 0  {run.id}", "Theme"):
            assert wanted in titles
        await press(pilot, "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await press(pilot, *"queue", "enter")
        await until(pilot, lambda: app.current_mode == "queue")


async def test_keys_of_ones_own(tmp_path: Path) -> None:
    keys_file().write_text('[keys]\n"area.runs" = "f8"\n"runs.mark" = "m"\n')
    record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "f8")
        assert app.current_mode == "runs"
        await press(pilot, "m")
        assert app.screen.query_one(Table).marked


@pytest.mark.parametrize("text", ["[keys", "keys = 5", '[keys]\n"area.runs" = 5'])
async def test_a_keys_file_that_cannot_be_understood_is_said(tmp_path: Path, text: str) -> None:
    keys_file().write_text(text)
    async with opened(tmp_path) as (app, pilot):
        await until(pilot, lambda: any("keys.toml" in told for told in notices(app)))
        await press(pilot, "2")
        assert app.current_mode == "runs"


def test_every_binding_has_an_id_of_its_own_and_the_file_names_them_all() -> None:
    bindings = all_bindings()
    assert {"runs.stop", "area.tasks", "help", "table.choose"} - {"table.choose"} <= set(bindings)
    path, new = write_keys_file()
    assert new and write_keys_file() == (path, False)
    text = path.read_text()
    assert all(f'"{name}"' in text for name in bindings)
    path.write_text(
        "\n".join(line.removeprefix("# ") if line.startswith('# "') else line for line in text.splitlines())
    )
    assert keymap() == ({name: binding.key for name, binding in bindings.items()}, [])


async def test_a_theme_is_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        assert app.theme == DARK
        app.theme = "textual-light"
        await pilot.pause()
    assert DlkitApp(tmp_path).theme == "textual-light"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, DARK), ({"COLORFGBG": "0;15"}, LIGHT), ({"COLORFGBG": "15;0"}, DARK), ({"TEXTUAL_THEME": "nord"}, "nord")],
)
def test_the_theme_follows_the_terminal(environment: dict[str, str], expected: str) -> None:
    assert theme(environment) == expected


KEPT = st.one_of(
    st.text(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.lists(st.tuples(st.sampled_from(["theme", "a-b", "c_1"]), KEPT | st.lists(KEPT | st.lists(KEPT)))))
def test_what_is_kept_is_found_again(kept_values: list[tuple[str, str | list[object]]]) -> None:
    """Each beside the others, whatever it is."""
    (settings.folder() / "tui.toml").unlink(missing_ok=True)
    for name, value in kept_values:
        settings.keep(name, value)
    for name, value in dict(kept_values).items():
        assert settings.kept(name, value) == value and settings.kept(f"not-{name}", value) is value


def test_what_somebody_wrote_into_the_file_of_settings_stays_if_it_is_a_setting(config_folder: Path) -> None:
    (config_folder / "tui.toml").write_text('theme = "nord"\nodd = 1979-05-27\n[table]\nx = 1\n')
    settings.keep("columns", ["state", "name"])
    assert settings.kept("theme", "") == "nord" and settings.kept("theme", []) == []
    assert settings.kept("columns", ["none"]) == ["state", "name"]
    (config_folder / "tui.toml").write_text("[torn")
    assert settings.kept("theme", "none") == "none"


def test_a_theme_that_is_no_more_is_passed_over(tmp_path: Path, config_folder: Path) -> None:
    (config_folder / "tui.toml").write_text('theme = "gone"\n')
    assert DlkitApp(tmp_path).theme == DARK


def test_the_interface_never_imports_torch(tmp_path: Path) -> None:
    """With every screen's module imported and every plugin loaded; and the first screen takes still less."""
    script = f"""
import asyncio, sys
from pathlib import Path
import dlkit.tui.home.screen
from dlkit.tui.app import DlkitApp
print([name for name in ("numpy", "pydantic") if name in sys.modules])
from dlkit.tui.keys.file import all_bindings
all_bindings()
async def main():
    app = DlkitApp(Path({str(tmp_path)!r}))
    async with app.run_test() as pilot:
        while app.catalog is None:
            await pilot.pause(0.05)
        for key in "2341":
            await pilot.press(key)
asyncio.run(main())
print([name for name in ("torch", "torchvision", "sklearn") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONG, check=False)
    assert done.stdout.split() == ["[]", "[]"], done.stdout + done.stderr


def test_a_source_that_fails_is_told_once_and_others_go_on() -> None:
    told: list[str] = []

    class Target:
        def post_message(self, message: object) -> bool:
            told.append(getattr(message, "text", str(message)))
            return True

    def broken() -> str:
        raise OSError("the disk is gone")

    poller = Poller()
    poller.watch(broken, lambda found: found, Target())  # type: ignore[arg-type, return-value]
    poller.watch(lambda: "fine", lambda found: found, Target())  # type: ignore[arg-type, return-value]
    for _ in range(3):
        for source in poller._sources:
            source.poll()
    assert told.count("OSError: the disk is gone") == 1 and told.count("fine") == 3


async def test_the_key_line_names_the_main_keys_only(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        for key in "123":
            await press(pilot, key)
            keys = app.screen.query_one(MainKeys).keys
            assert 2 < len(keys) <= 9 and [key.name for key in keys[-2:]] == ["Quit", "Help"]
        app.open_run(run)
        await until(pilot, lambda: "Resume" in shown(app))
        assert "Stop" not in shown(app).splitlines()[-1], "nothing runs"
        await pilot.click("MainKeys", offset=(shown(app).splitlines()[-1].index("Help"), 0))
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))


@pytest.mark.parametrize("width", [20, 40, 60])
async def test_the_key_line_in_a_narrow_window(tmp_path: Path, width: int) -> None:
    async with opened(tmp_path, (width, 24)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: shown(app).splitlines()[-1].endswith("^q Quit  ? Help"))


@pytest.mark.slow
async def test_nothing_piles_up(tmp_path: Path) -> None:
    """Going around changes the focus and what is shown; what was there before is let go, every widget of it."""

    def count() -> int:
        gc.collect()
        return sum(issubclass(type(found), Widget) for found in gc.get_objects())

    run = record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        counts = []
        for _ in range(4):
            app.open_run(run)
            await until(pilot, lambda: "Resume" in shown(app))
            await press(pilot, *"cslmoec")
            await press(pilot, "escape", *"12341")
            counts.append(count())
        await until(pilot, lambda: count() <= counts[0], f"{counts} widgets: a pane's thread may hold it for a moment")


def test_how_pictures_are_drawn_can_be_told(tmp_path: Path) -> None:
    for way, said in (("sixel", "regression"), ("gif", "DLKIT_IMAGES is 'gif'; it may be auto, kitty, sixel")):
        environment = {"DLKIT_WORKSPACE": str(tmp_path), "DLKIT_CONFIG": str(tmp_path), "DLKIT_IMAGES": way}
        with Terminal([sys.executable, "-m", "dlkit"], environment=environment) as terminal:
            terminal.wait_for(said)


@pytest.mark.usefixtures("imported")
async def test_screens_left_before_they_are_complete(tmp_path: Path) -> None:
    """By a quick key, or because what they started is there already: at whatever point of their making."""
    run = record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        for turns in range(0, 60, 4):
            for open_screen in (
                lambda: app.open_launch("regression"),
                lambda: app.open_run(run),
                lambda: app.open_compare([run]),
                lambda: app.open_playground(run),
            ):
                open_screen()
                for _ in range(turns):
                    await asyncio.sleep(0)
                app.pop_screen()
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await press(pilot, "1")
        assert "regression" in shown(app)


async def test_the_app_hears_of_a_worker_that_raised(tmp_path: Path) -> None:
    """Of any widget's, not of its own alone."""

    async def boom() -> None:
        raise ZeroDivisionError("of [b]mine[/b]")

    async with opened(tmp_path) as (app, pilot):
        app.screen.query_one(Table).run_worker(boom(), exit_on_error=False)
        await until(pilot, lambda: "of [b]mine[/b]" in notices(app))


async def test_a_worker_of_what_is_gone_already_is_no_fault(tmp_path: Path) -> None:
    """The palette looks for commands in one, and misses its list where the next key has left it."""

    def missed(widget: Widget) -> WorkerFailed:
        with pytest.raises(NoMatches) as caught:
            widget.query_one("#nowhere")
        return WorkerFailed(caught.value)

    async with opened(tmp_path) as (app, _):
        assert is_teardown_error(missed(CommandPalette()))
        assert not is_teardown_error(missed(app.screen)), "of one that is there it is"
