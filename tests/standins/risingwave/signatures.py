"""The table of functions and operators: name, types in, type out, what it computes.

Signatures: the `#[function]` marks of RisingWave 3.0.3's src/expr/impl/src/scalar; what
they do: PostgreSQL's manual, chapter 9, which they follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .rwtypes import Type


@dataclass(frozen=True)
class Signature:
    inputs: tuple[Type, ...]
    result: Type
    run: Callable[..., Any]


TABLE: dict[str, list[Signature]] = {}


def add(names: str, inputs: tuple[Type, ...], result: Type, run: Callable[..., Any]) -> None:
    for name in names.split():
        TABLE.setdefault(name, []).append(Signature(inputs, result, run))
