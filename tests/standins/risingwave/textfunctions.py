"""Functions over text and bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Any

from . import rwtypes as t
from .casts import EvalError, parse_bytes
from .signatures import add

_V, _I = t.VARCHAR, t.INTEGER
_MAX_TEXT = 1 << 24


def _substr(value: Any, start: int, count: int | None = None) -> Any:
    first = max(start - 1, 0)
    if count is None:
        return value[first:]
    if count < 0:
        raise EvalError("negative substring length not allowed")
    return value[first:max(start - 1 + count, first)]


def _left(value: str, count: int) -> str:
    return value[:count] if count >= 0 else value[:max(len(value) + count, 0)]


def _right(value: str, count: int) -> str:
    return value[max(len(value) - count, 0):] if count >= 0 else value[-count:]


def _padding(value: str, length: int, fill: str) -> str:
    if length > _MAX_TEXT:
        raise EvalError("requested length too large")
    missing = length - len(value)
    return (fill * (missing // len(fill) + 1))[:missing] if missing > 0 and fill else ""


def _lpad(value: str, length: int, fill: str = " ") -> str:
    return (_padding(value, length, fill) + value[:max(length, 0)])


def _rpad(value: str, length: int, fill: str = " ") -> str:
    return value[:max(length, 0)] + _padding(value, length, fill)


def _split_part(value: str, delimiter: str, number: int) -> str:
    if number == 0:
        raise EvalError("Invalid parameter data: can't be zero")
    parts = value.split(delimiter) if delimiter else [value]
    place = number - 1 if number > 0 else len(parts) + number
    return parts[place] if 0 <= place < len(parts) else ""


def _trimmer(strip: Callable[[str, str], str]) -> Callable[..., str]:
    return lambda value, characters=" ": strip(value, characters)


def _encode(value: bytes, form: str) -> str:
    if form == "hex":
        return value.hex()
    if form == "base64":
        encoded = base64.b64encode(value).decode()
        # A line feed after every full line of 76, also after the last.
        return re.sub(r"(.{76})", r"\1\n", encoded) if not encoded.endswith("=") \
            else re.sub(r"(.{76})(?=.)", r"\1\n", encoded)
    if form == "escape":
        return "".join("\\\\" if byte == 0x5C else f"\\{byte:03o}" if byte == 0 or byte > 0x7F
                       else chr(byte) for byte in value)
    raise EvalError(f'unrecognized encoding: "{form}"')


def _decode(value: str, form: str) -> bytes:
    try:
        if form == "hex":
            return bytes.fromhex(value)
        if form == "base64":
            return base64.b64decode(re.sub(r"[\r\n \t]", "", value), validate=True)
    except (ValueError, binascii.Error) as error:
        raise EvalError(str(error)) from error
    if form == "escape":
        return parse_bytes(value)
    raise EvalError(f'unrecognized encoding: "{form}"')


def _md5(value: Any) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def _charset(name: str) -> str:
    if name.upper() not in ("UTF8", "UTF-8"):
        raise EvalError(f'unrecognized encoding: "{name}"')
    return "utf-8"


def _like(value: str, pattern: str) -> bool:
    parts = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(re.escape(next(characters, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.fullmatch("".join(parts), value, re.S) is not None


add("lower", (_V,), _V, str.lower)
add("upper", (_V,), _V, str.upper)
for _name, _strip in (("trim btrim", str.strip), ("ltrim", str.lstrip), ("rtrim", str.rstrip)):
    add(_name, (_V,), _V, _trimmer(_strip))
    add(_name, (_V, _V), _V, _trimmer(_strip))
add("length char_length character_length", (_V,), _I, len)
add("length", (t.BYTEA,), _I, len)
add("octet_length", (_V,), _I, lambda value: len(value.encode()))
add("octet_length", (t.BYTEA,), _I, len)
for _kind in (_V, t.BYTEA):
    add("substr", (_kind, _I), _kind, _substr)
    add("substr", (_kind, _I, _I), _kind, _substr)
add("replace", (_V, _V, _V), _V, lambda v, old, new: v.replace(old, new) if old else v)
add("left", (_V, _I), _V, _left)
add("right", (_V, _I), _V, _right)
for _name, _pad in (("lpad", _lpad), ("rpad", _rpad)):
    add(_name, (_V, _I), _V, _pad)
    add(_name, (_V, _I, _V), _V, _pad)
add("split_part", (_V, _V, _I), _V, _split_part)
add("reverse", (_V,), _V, lambda value: value[::-1])
add("md5", (_V,), _V, _md5)
add("md5", (t.BYTEA,), _V, _md5)
add("encode", (t.BYTEA, _V), _V, _encode)
add("decode", (_V, _V), t.BYTEA, _decode)
add("strpos", (_V, _V), _I, lambda value, wanted: value.find(wanted) + 1)
add("starts_with", (_V, _V), t.BOOLEAN, str.startswith)
add("initcap", (_V,), _V, lambda value: re.sub(
    r"\S+", lambda word: word.group()[0].upper() + word.group()[1:].lower(), value))
add("convert_to", (_V, _V), t.BYTEA, lambda value, name: value.encode(_charset(name)))
add("convert_from", (t.BYTEA, _V), _V, lambda value, name: value.decode(_charset(name)))
for _name in ("sha1", "sha224", "sha256", "sha384", "sha512"):
    add(_name, (t.BYTEA,), t.BYTEA,
        lambda value, name=_name: hashlib.new(name, value, usedforsecurity=False).digest())
add("like", (_V, _V), t.BOOLEAN, _like)
