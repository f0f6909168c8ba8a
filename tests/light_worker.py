"""A worker that has no model: it answers by its orders, as quickly as frames come."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from dlkit.use.serve.frames import packed, read_frame

HELLO = {
    "asks": "text",
    "label": "order",
    "placeholder": "what you like",
    "usage": "orders",
    "streams": True,
    "task": "light",
    "inference": "light",
    "step": 3,
    "schema": {"question": {"type": "string"}, "answer": {"type": "object"}, "example": "hello"},
    "options": [
        {"name": "loud", "description": "In capitals", "value": False, "schema": {"type": "boolean"}, "seldom": False}
    ],
}


def tell(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(packed(told))
    sys.stdout.buffer.flush()


def answer(question: object, count: int, options: Any) -> dict[str, Any]:
    if question == "die":
        os._exit(3)
    if question == "hang":
        time.sleep(600)
    if question == "late":
        time.sleep(0.3)
    if question == "wrong":
        return {"error": "no such order", "kind": "data"}
    if question == "broken":
        return {"error": "the model failed: ZeroDivisionError", "kind": "failed"}
    said = f"{len(question)} bytes" if isinstance(question, bytes) else question
    return {"answer": {"said": str(said).upper() if options.get("loud") else said, "together": count}}


if os.environ.get("LIGHT_REFUSES"):
    tell({"error": "no such run", "exit_code": 3})
    sys.exit(1)
changed = json.loads(sys.argv[1]) if sys.argv[1:] else {}
tell({"hello": {**HELLO, **changed}})
while (frame := read_frame(sys.stdin.buffer)) is not None:
    listed: Any = frame.told["questions"]
    questions = [frame.parts[one["part"]] if "part" in one else one["json"] for one in listed]
    if frame.told.get("stream"):
        for piece in ("one ", "two\n\n", "three"):
            tell({"piece": piece})
    shown = [{"kind": "text", "title": "said", "text": "it"}] if frame.told.get("show") else []
    found = [answer(question, len(questions), frame.told["options"]) for question in questions]
    tell({"answers": found, "notes": [], "shown": shown})
