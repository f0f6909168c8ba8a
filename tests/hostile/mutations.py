"""Damage of every sort to what a file holds: bytes, JSON, lines of JSON, TOML, tensor files. A seed decides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hostile.bad_runs import odd_values

TOKENS: Sequence[bytes] = (
    b"[", b"]", b"{", b"}", b'"', b",", b":", b"\n", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"null", b"NaN",
    b"-Infinity", b"1e999", b"-0.0", b"9" * 50, b"9" * 5000, b"0x7f", b"[" * 150, b'{"a":' * 150, b"\\u0000",
    b"\\ud800", b"\x1b]0;owned\x07", b"../../", b"/dev/zero", b"a" * 5000, b"true", b"''", b"=", b"#", b".",
)  # fmt: skip


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """One to three changes, none of which knows what the bytes mean."""
    for _ in range(random.randint(1, 3)):
        data = random.choice(_BYTES)(data, random)
    return data


def _flip(data: bytes, random: Random) -> bytes:
    if not data:
        return b"\x01"
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _remove(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randint(1, 20) :]


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(TOKENS) + data[at:]


def _overwrite(data: bytes, random: Random) -> bytes:
    at, token = random.randrange(len(data) + 1), random.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _repeat(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    end = at + random.randint(1, 200)
    return data[:end] + data[at:end] * random.randint(1, 5) + data[end:]


def _blank(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    size = random.randint(1, 512)
    return data[:at] + bytes(min(size, len(data) - at)) + data[at + size :]


def _numbers(data: bytes, random: Random) -> bytes:
    """Another number in a number's place: what has the right form, and makes no sense."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if not found:
        return data
    match = random.choice(found)
    number = random.choice((b"0", b"-1", b"1", b"2147483648", b"-9223372036854775809", b"1e308", b"0.5", b"200000000"))
    return data[: match.start()] + number + data[match.end() :]


_BYTES: Sequence[Callable[[bytes, Random], bytes]] = (
    _flip, _flip, _cut, _remove, _insert, _insert, _overwrite, _repeat, _blank, _numbers, _numbers,
)  # fmt: skip


def mutated_tree(value: Any, random: Random) -> Any:
    """A JSON value with one of its values, keys or elements changed."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        match random.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, random.choice(("", "unheard", "../x", "\ud800", key * 2)): value[key]}
            case _:
                return {**value, key: mutated_tree(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.7:
        at = random.randrange(len(value))
        match random.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value[:at] + [value[at]] * random.randint(2, 50) + value[at:]
            case _:
                return [*value[:at], mutated_tree(value[at], random), *value[at + 1 :]]
    if isinstance(value, (int, float)) and random.random() < 0.4:
        return random.choice((0, -1, 1, 2, value + 1, -value, value * 2, 2**31, 2**63, 2**64, 0.5, 10**9, 200_000_000))
    return random.choice(odd_values(random))


def mutated_json(data: bytes, random: Random) -> bytes:
    """A JSON document, mostly one still."""
    if random.random() < 0.35:
        return mutated_bytes(data, random)
    value = json.loads(data)
    for _ in range(random.randint(1, 3)):
        value = mutated_tree(value, random)
    return json.dumps(value).encode()


def mutated_lines(data: bytes, random: Random) -> bytes:
    """JSON lines: one of them changed, doubled, moved or lost, or the bytes of all."""
    lines = data.splitlines()
    if not lines or random.random() < 0.2:
        return mutated_bytes(data, random)
    at = random.randrange(len(lines))
    match random.randrange(8):
        case 0:
            del lines[at]
        case 1:
            lines.insert(random.randrange(len(lines)), lines[at])
        case 2:
            random.shuffle(lines)
        case 3:
            lines.insert(at, random.choice(TOKENS))
        case _:
            lines[at] = mutated_json(lines[at], random)
    return b"\n".join(lines) + b"\n" * random.randint(0, 1)


_VALUES: Sequence[str] = (
    "1e400", "-1", "0", "nan", "inf", "-inf", '"x"', "[]", "{}", "[[1], [2]]", "true", "1979-05-27", "9" * 5000,
    "[" * 200 + "]" * 200, '"' + "a" * 5000 + '"', "1_000_000_000", "0xffffffffffffffffff", '""', "{ name = 5 }", "'",
    '"\\u001b[2J"', '"../../x"', '"/dev/zero"', '"auto"', '"cuda:9"', "0.0", "1e-300", "200000000",
)  # fmt: skip


def mutated_toml(data: bytes, random: Random) -> bytes:
    """A configuration: another value for one of its keys, a line too much or too few, or other bytes."""
    lines = data.decode().splitlines()
    if not lines or random.random() < 0.25:
        return mutated_bytes(data, random)
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(lines))
        key, equals, _ = lines[at].partition(" = ")
        match random.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[random.randrange(len(lines))])
            case 2:
                lines.insert(at, f"[{random.choice(('x', 'engine', 'model', 'a.b', '[engine]', 'a.' * 200 + 'a'))}]")
            case _ if equals:
                lines[at] = f"{key} = {random.choice(_VALUES)}"
            case _:
                lines.insert(at, f"{random.choice(('x', 'name', 'epochs', 'a.b.c'))} = {random.choice(_VALUES)}")
        if not lines:
            break
    return "\n".join(lines).encode()


def mutated_tensors(data: bytes, random: Random) -> bytes:
    """A safetensors file: its header changed as JSON, its length, its tensors' bytes, or any bytes."""
    choice = random.random()
    if choice < 0.2 or len(data) < 9:
        return mutated_bytes(data, random)
    size = int.from_bytes(data[:8], "little")
    header, body = data[8 : 8 + size], data[8 + size :]
    if choice < 0.3:
        length = random.choice((0, 1, size - 1, size + 1, len(data), 2**24, 2**31, 2**63 - 1, 2**64 - 1))
        return length.to_bytes(8, "little") + header + body
    if choice < 0.45:
        body = random.choice((_cut, _flip, _repeat, _blank))(body, random)
    else:
        header = _header(header, random)
    return len(header).to_bytes(8, "little") + header + body


def _header(header: bytes, random: Random) -> bytes:
    """Other names, types, shapes and places, of which some still fit the bytes."""
    tensors: dict[str, Any] = json.loads(header)
    if tensors and random.random() < 0.5:
        name = random.choice(list(tensors))
        entry = dict(tensors.pop(name))
        match random.randrange(5):
            case 0:
                name = random.choice(("", "x", name + "'", "../x", "\x1b[2J"))
            case 1:
                entry["dtype"] = random.choice(("F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "C64", "x"))
            case 2:
                entry["shape"] = random.choice(([], [0], [1], [2**40, 0], [2**62, 2**62], [-1], [1, 1, 1], "x", None))
            case 3:
                entry["data_offsets"] = random.choice(([0, 0], [0, 2**62], [8, 4], [-1, 4], [0], None))
            case _:
                entry["shape"] = list(reversed(entry.get("shape", []))) + [1] * random.randrange(3)
        tensors[name] = entry
    else:
        tensors = mutated_tree(tensors, random)
    text = json.dumps(tensors).encode()
    return text + b" " * (-len(text) % 8)
