"""A report in a real browser: on a phone and a desk, touched, and printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.report import one_run
from dlkit.report.page import page
from report.reports import ordinary, told_of
from web.browser import chromium, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.usefixtures("toy_installed"),
]
_PAPER = 1009
"""Pixels of an A4 page between its margins."""


def test_hover_zoom_slide_and_print(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(one_run.document(told_of(ordinary(tmp_path)))), encoding="utf-8")
    with chromium(tmp_path) as browser:
        for width in (390, 1280):
            browser.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                            mobile=width < 500)  # fmt: skip
            browser.open(file.as_uri())
            assert browser.run("return document.documentElement.scrollWidth") <= width
        asked = {url.partition(":")[0] for url in browser.requests()}
        assert browser.console() == [] and asked <= {"file", "data", "chrome"}  # the last: its own first page

        # Hovered: what all lines are at that step. Dragged: a part, in which the axis ends sooner. Twice clicked: all.
        browser.run("""document.querySelector('.plot').scrollIntoView({block: 'center'})""")
        x, y, w = browser.run("const b = document.querySelector('.plot').getBoundingClientRect();"
                              "return [b.left, b.top + b.height / 2, b.width]")  # fmt: skip
        mouse = "Input.dispatchMouseEvent"
        browser.command(mouse, type="mouseMoved", x=x + w / 2, y=y)
        assert "val/mse" in browser.run("return document.querySelector('.tip').textContent")
        browser.command(mouse, type="mousePressed", x=x + w * 0.4, y=y, button="left", clickCount=1)
        browser.command(mouse, type="mouseMoved", x=x + w * 0.6, y=y, button="left")
        browser.command(mouse, type="mouseReleased", x=x + w * 0.6, y=y, button="left", clickCount=1)
        whole = "return [...document.querySelectorAll('.tools button')].find((b) => b.textContent === 'whole')"
        assert not browser.run(f"{whole}.hidden")
        browser.run(f"{whole}.click()")
        assert browser.run(f"{whole}.hidden")

        # Counted in epochs and in time: what is said, and the whole again.
        browser.run("const u = document.querySelector('.tools select'); u.value = 'time';"
                    "u.dispatchEvent(new Event('change'))")  # fmt: skip
        labels = "return [...document.querySelectorAll('figure.chart')][0].querySelectorAll('svg text')"
        assert "time of training" in browser.run(
            f"{labels.replace('return ', 'return [...')}].map((t) => t.textContent)"
        )
        browser.command(mouse, type="mouseMoved", x=x + w / 2 + 1, y=y)
        assert browser.run("return document.querySelector('.tip').textContent").startswith("time ")

        browser.run("const s = document.querySelector('input[type=range]'); s.value = 0;"
                    "s.dispatchEvent(new Event('input'))")  # fmt: skip
        shown = browser.run("return [...document.querySelectorAll('.shot')].map((one) => one.hidden)")
        assert shown == [False, True, True] and "1 of 3" in browser.run("return document.querySelector('output').value")

        browser.command("Emulation.setEmulatedMedia", media="print")
        browser.command(
            "Emulation.setDeviceMetricsOverride", width=680, height=_PAPER, deviceScaleFactor=1, mobile=False
        )
        figures = browser.run("return [...document.querySelectorAll('figure')].map((f) => "
                              "[f.offsetHeight, getComputedStyle(f).breakInside])")  # fmt: skip
        assert figures and all(height < _PAPER and inside == "avoid" for height, inside in figures), "no picture is cut"
        assert browser.command("Page.printToPDF")["data"].startswith("JVBERi0")
