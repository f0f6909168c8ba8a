"""A small app in place of dlkit's, and its server: what the page and the server do with any app.

``python small.py`` is the app, ``python small.py serve`` the server, which prints its address; ``serve broken`` has an
app that does not start.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Paste
from textual.widgets import Label

DELIVERED = b"<script>document.title = 'run'</script>" * 5_000
"""More than one chunk."""


class Pasted(Label, can_focus=True):
    """Says what was pasted."""

    def on_paste(self, event: Paste) -> None:
        self.update(f"pasted: {event.text}.")


class Small(App[str]):
    """Says what it sees; ``d`` delivers a file, ``c`` copies, ``x`` fails, ``h`` hangs, ``r`` begins again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "deliver"),
        Binding("c", "copy"),
        Binding("x", "fail"),
        Binding("h", "hang"),
        Binding("r", "again"),
        Binding("q", "quit"),
    ]

    def compose(self) -> ComposeResult:
        yield Label(f"images {os.environ.get('DLKIT_IMAGES')} theme {os.environ.get('COLORFGBG')}", markup=False)
        yield Label("", id="size")
        yield Label("", id="focus")
        yield Pasted("", id="pasted")

    def on_mount(self) -> None:
        self.set_interval(0.05, self.look)

    def look(self) -> None:
        self.query_one("#size", Label).update(f"size {self.size.width}x{self.size.height}.")
        self.query_one("#focus", Label).update("focus " + ("here" if self.app_focus else "elsewhere"))

    def action_deliver(self) -> None:
        self.deliver_binary(
            io.BytesIO(DELIVERED), save_filename='a "page".html', mime_type="text/html", open_method="browser"
        )

    def action_copy(self) -> None:
        self.copy_to_clipboard("copied in the app")

    def action_fail(self) -> None:
        raise RuntimeError("it failed as it was told to")

    def action_again(self) -> None:
        self.exit("again")

    def action_hang(self) -> None:
        import signal

        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGSTOP)


BROKEN = "print('a library speaks'); raise SystemExit('it does not start')"


def serve(*words: str) -> None:
    from dlkit.web.command import listen
    from dlkit.web.guard import Guard
    from dlkit.web.server import WebServer

    listener = listen(0)
    server = WebServer(Guard(listener.getsockname()[1]), [sys.executable, *words])
    asyncio.run(server.run(listener, lambda url: print(url, flush=True)))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve(__file__)
    elif sys.argv[1:] == ["serve", "broken"]:
        serve("-c", BROKEN)
    else:
        while (app := Small()).run() == "again":
            pass
        sys.exit(app.return_code)
