"""Which texts Spark casts to which type (not ANSI: a cast that fails is NULL), for the texts the generator writes."""

from __future__ import annotations

import datetime
import re
from decimal import ROUND_HALF_UP, Decimal

RANGES = {"integer": 31, "long": 63}


def casts(text: str, target: str) -> bool:
    """Whether `CAST(text AS target)` is not NULL."""
    text, target = text.strip(), target.lower()
    if target in RANGES:
        return _whole(text, RANGES[target])
    if target in ("double", "float"):
        return _number(text)
    if target == "boolean":
        return text.lower() in {"t", "true", "y", "yes", "1", "f", "false", "n", "no", "0"}
    if target == "date":
        return _date(text)
    precision, scale = map(int, re.fullmatch(r"decimal\((\d+),(\d+)\)", target).groups())
    return _decimal(text, precision, scale)


def _whole(text: str, bits: int) -> bool:
    """Digits after a point are cut off, an exponent is no number."""
    found = re.fullmatch(r"([+-]?\d+)(\.\d*)?", text, re.ASCII)
    return bool(found) and -(2**bits) <= int(found[1]) < 2**bits


def _number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII))


def _decimal(text: str, precision: int, scale: int) -> bool:
    """Rounded half up to the scale; what then does not fit the precision is NULL."""
    if not _number(text):
        return False
    rounded = Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    return abs(rounded) < Decimal(10) ** (precision - scale)


def _date(text: str) -> bool:
    """`yyyy`, `yyyy-[m]m` or `yyyy-[m]m-[d]d`."""
    found = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", text, re.ASCII)
    if not found:
        return False
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True
