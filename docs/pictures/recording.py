"""Make recording.svg: a film of the interface, from an empty workspace to an answer, with a real run in between.

uv run python docs/pictures/recording.py

Each line of the screen is drawn once for each of its states, and shown as long as that lasted (SMIL, which browsers
play in an <img>): a second of training, in which few lines change, costs little. Waiting is cut short.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from textual.pilot import Pilot  # noqa: E402

from dlkit.tui.app import DlkitApp  # noqa: E402
from dlkit.tui.shared.table import Table  # noqa: E402
from pictures import HEIGHT, WIDTH, lines_of  # noqa: E402
from screens import opened, press, shown, until  # noqa: E402

SIZE = (100, 30)
TRAINING_SECONDS = 0.15
"""Between two pictures of a run that goes on; each is shown somewhat longer."""
MOST_BYTES = 1_500_000


class Film:
    """Pictures of the screen, each with the seconds that it is shown for."""

    def __init__(self) -> None:
        self.pictures: list[tuple[float, list[str]]] = []

    def take(self, app: DlkitApp, seconds: float) -> None:
        self.pictures.append((seconds, lines_of(app)))

    def svg(self) -> str:
        whole = sum(seconds for seconds, _ in self.pictures)
        drawn = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE[0] * WIDTH} {SIZE[1] * HEIGHT}" '
            'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13.3">',
            '<rect width="100%" height="100%" fill="#121212"/>',  # else the page shines through between lines
        ]
        for row in range(SIZE[1]):
            for line, shows in self._states(row).items():
                drawn.append(_shown(line, shows, whole))
        return "\n".join([*drawn, "</svg>"]) + "\n"

    def _states(self, row: int) -> dict[str, list[tuple[float, float]]]:
        """What a line looks like → when, as seconds from and to."""
        states: dict[str, list[tuple[float, float]]] = {}
        now = 0.0
        for seconds, lines in self.pictures:
            spans = states.setdefault(lines[row], [])
            if spans and spans[-1][1] == now:
                spans[-1] = (spans[-1][0], now + seconds)
            else:
                spans.append((now, now + seconds))
            now += seconds
        return states


def _shown(line: str, spans: list[tuple[float, float]], whole: float) -> str:
    """A line's drawing, visible in some spans of the film."""
    if spans == [(0.0, whole)]:
        return f"<g>{line}</g>"
    times, values = [0.0], ["hidden"]
    for start, end in spans:
        for moment, value in ((start, "visible"), (end, "hidden")):
            if moment == times[-1]:
                values[-1] = value
            elif moment < whole:
                times.append(moment)
                values.append(value)
    keys = ";".join(f"{moment / whole:.4f}".rstrip("0").rstrip(".") or "0" for moment in times)
    animation = (
        f'<animate attributeName="visibility" values="{";".join(values)}" keyTimes="{keys}" dur="{whole:.2f}s" '
        'calcMode="discrete" repeatCount="indefinite"/>'
    )
    return f'<g visibility="{values[0]}">{animation}{line}</g>'


async def film(workspace: Path) -> Film:
    taken = Film()
    async with opened(workspace, SIZE) as (app, pilot):
        await until(pilot, lambda: "classification" in shown(app))
        taken.take(app, 2.0)
        await _to_the_form(taken, app, pilot)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "step" in shown(app) or "Curves" in shown(app))
        await _while_it_trains(taken, app, pilot)
        await press(pilot, "s")
        await pilot.pause(1.0)
        taken.take(app, 2.5)
        for _ in range(3):
            await press(pilot, "left")
            await pilot.pause(0.5)
            taken.take(app, 1.0)
        await press(pilot, "P")
        await until(pilot, lambda: "enter asks" in shown(app))
        taken.take(app, 1.5)
        await press(pilot, "enter")
        await until(pilot, lambda: "answered" in shown(app) and "Probabilities" in shown(app))
        await pilot.pause(1.0)
        taken.take(app, 4.0)
    return taken


async def _to_the_form(taken: Film, app: DlkitApp, pilot: Pilot[None]) -> None:
    table = app.screen.query_one(Table)
    for _ in range(30):
        if table.key.endswith("classification"):
            break
        await press(pilot, "down")
        taken.take(app, 0.2)
    taken.take(app, 1.0)
    await press(pilot, "enter")
    await until(pilot, lambda: "ready" in shown(app))
    taken.take(app, 2.5)


async def _while_it_trains(taken: Film, app: DlkitApp, pilot: Pilot[None]) -> None:
    until_then = time.monotonic() + 60
    while time.monotonic() < until_then and "completed" not in shown(app):
        await pilot.pause(TRAINING_SECONDS)
        if lines_of(app) != taken.pictures[-1][1]:  # what a slow machine waits for is no film
            taken.take(app, 0.25)
    taken.take(app, 2.0)


def main() -> None:
    os.environ["DLKIT_CONFIG"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        svg = asyncio.run(film(Path("workspace"))).svg()
    if len(svg) > MOST_BYTES:
        sys.exit(f"{len(svg)} bytes are more than {MOST_BYTES}")
    (HERE / "recording.svg").write_text(svg, encoding="utf-8")
    print(HERE / "recording.svg", len(svg))


if __name__ == "__main__":
    main()
