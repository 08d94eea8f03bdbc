"""Change a file at random: bytes, words, lines, and the parts inside containers, which are then packed again.

Without the last, checksums would stop nearly all mutations of compressed files, archives and signed files at the door.
Everything is a function of the given generator.
"""

import ast
import bz2
import gzip
import hashlib
import io
import json
import lzma
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from sympe_experiments import weights


def _words(text: str) -> list[str]:
    return text.split()


#: In place of a word: numbers at and beyond the limits of types, and words that mean something to some reader.
_NUMBERS = (
    *_words("0 -1 1e400 nan -inf 1_0 0x10 1e-320 2147483648 9223372036854775808 99999999 1e15 3.5 0.0001 -0 +1 1d3"),
    *("9" * 25, "9" * 5000, "\u0663"),
)
_WORDS = (
    *_words("\" ' , ; : = { } [ ] < & # % $$$$ > V3000 pbc Lattice Properties= X D C%99 [#0] 111 <script> ../../x id"),
    *_words("RANGES SOS1 QUADOBJ free inf binary end MARKER INTORG >>graph6<< ~~ ? ~?@ smiles loop_ Cartesian H-M"),
    *("", " ", "\t", "\0", "\x1b[31m", "\r", "\ufeff", "\u202e", "M  END", "T T T", "=cmd|' /C calc'!A0", "e\u0301"),
    *("a" * 70000, "(" * 500, "[" * 5000, "\n" * 50),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 64, 10**9, 2**31, 2**63, 10**4400, 1e308, 0.5, float("nan"), float("inf")),
    *("", "x" * 9999, "\x1b[2J", [], {}, [[]], {"a": {}}, [1, "a", None]),
)
_DTYPES: tuple[Any, ...] = (
    *_words("<f8 |O <U5 |V8 >i4 <c16 <M8[s] |S3 <f2 <f16 |b1 <u8 |V0 <U0 <i8 f8,f8 <i1"),
    *("", 3, [], [("a", "<f8")]),
)
_SHAPES: tuple[Any, ...] = (
    *((), (0,), (-1,), (3,), (3, 2), (4, 4), (3, 4, 4), (1, 1, 1, 1, 1), 5, (1.5,), (True,)),
    *((2**62,), (2**63,), (10**8,), (10**9, 10**9), (0, 2**40)),
)

_WORD = re.compile(rb"[^\s,:;=<>\"/]+")
_PACKERS: dict[bytes, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (gzip.decompress, lambda content: gzip.compress(content, 1, mtime=0)),
    b"\xfd7": (lzma.decompress, lambda content: lzma.compress(content, preset=0)),
    b"BZ": (bz2.decompress, lambda content: bz2.compress(content, 1)),
}


def mutated(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """A changed file.

    Args:
        content: The file.
        other: Another one of the corpus, to take pieces from.
        rng: The source of all randomness.
    """
    for _ in range(1 + int(rng.expovariate(1.0))):
        change = _inside if rng.random() < 0.7 else rng.choice(_OF_BYTES)
        content = change(content, other, rng)
    return content


def _inside(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """A change that fits the kind of file."""
    try:
        if content[:2] in _PACKERS:
            unpack, pack = _PACKERS[content[:2]]
            return pack(_inside(unpack(content), other, rng))
        if content[:2] == b"PK":
            return _in_archive(content, other, rng)
        if content[8:10] == b'{"':
            return _in_safetensors(content, rng)
        if content[:1] in b"{[":
            return _in_json(content, rng)
        if content[:6] == b"\x93NUMPY":
            return _in_array(content, rng)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError, RecursionError, OverflowError):
        pass  # an earlier change has broken it
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, SyntaxError, NotImplementedError, RuntimeError):
        pass
    is_text = content[:4000].translate(None, _TEXT) == b""
    return rng.choice(_OF_TEXT if is_text else _OF_BYTES)(content, other, rng)


# ------------------------------------------------------------------------------------------------ bytes and words


def _flip(content: bytes, other: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(content: bytes, other: bytes, rng: random.Random) -> bytes:
    at, value = rng.randrange(len(content) + 1), rng.choice((b"\0", b"\xff", b"\x7f", b"\x80", b"\xff" * 4, b"\0" * 8))
    return content[:at] + value + content[at + len(value) :]


def _cut(content: bytes, other: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:first] if rng.random() < 0.3 else content[:first] + content[last:]


def _double(content: bytes, other: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    piece = content[first:last] * rng.choice((1, 1, 2, 20))
    return content[:last] + piece[: 2**16] + content[last:]


def _splice(content: bytes, other: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)] + other[rng.randrange(len(other) + 1) :]


def _word(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Another word in place of one, or beside it."""
    found = list(_WORD.finditer(content[:20000]))
    value = rng.choice(_NUMBERS if rng.random() < 0.5 else _WORDS).encode("utf-8", "surrogatepass")
    if not found:
        return content + value
    match = rng.choice(found)
    kept = match[0] if rng.random() < 0.2 else b""
    return content[: match.start()] + kept + value + content[match.end() :]


def _swap(content: bytes, other: bytes, rng: random.Random) -> bytes:
    found = list(_WORD.finditer(content[:20000]))
    if len(found) < 2:
        return content + b"\n"
    a, b = sorted(rng.sample(found, 2), key=lambda match: match.start())
    return content[: a.start()] + b[0] + content[a.end() : b.start()] + a[0] + content[b.end() :]


def _lines(content: bytes, other: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    line = rng.choice((other.split(b"\n"), lines))[0] if rng.random() < 0.3 else lines[at]
    change = rng.randrange(4)
    lines[at : at + 1] = [[], [lines[at], line], [line] * 30, [lines[at], b""]][change]
    return rng.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r")).join(lines)


_TEXT = bytes(range(32, 256)) + b"\t\r\n\f"
_OF_BYTES = (_flip, _flip, _overwrite, _cut, _double, _splice)
_OF_TEXT = (_word, _word, _word, _swap, _lines, _lines, _cut, _double, _flip, _splice)


# ------------------------------------------------------------------------------------------------------ containers


def _in_archive(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change, rename, double or drop one member of a zip file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
        method = archive.infolist()[0].compress_type
    at = rng.randrange(len(members))
    name, held = members[at]
    change = rng.random()
    if change < 0.8:
        members[at] = (name, _inside(held, other, rng))
    elif change < 0.9:
        members[at] = (rng.choice(members)[0] if rng.random() < 0.5 else "../" + name, held)
    else:
        members[at : at + 1] = [] if rng.random() < 0.5 else [members[at]] * rng.choice((2, 300))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, held in members:
            archive.writestr(zipfile.ZipInfo(name), held, method)
    return buffer.getvalue()


def _in_array(content: bytes, rng: random.Random) -> bytes:
    """Another header of a numpy array, or other numbers."""
    length = int.from_bytes(content[8:10], "little")
    header, numbers = ast.literal_eval(content[10 : 10 + length].decode()), content[10 + length :]
    change = rng.randrange(5)
    if change == 0:
        header["descr"] = rng.choice(_DTYPES)
    elif change == 1:
        header["shape"] = rng.choice(_SHAPES)
    elif change == 2:
        header["fortran_order"] = rng.choice((True, 1, None))
    elif numbers:
        size, raw = rng.choice((1, 2, 4, 8)), bytearray(numbers)
        for _ in range(rng.choice((1, 3))):
            at = rng.randrange(0, len(raw), size)
            raw[at : at + size] = rng.choice((b"\xff\xff", b"\0\0", b"\0\x80", b"\xf0\x7f"))[-size:].rjust(size, b"\0")
        numbers = bytes(raw)
    text = f"{header!r}\n".encode()
    return content[:8] + len(text).to_bytes(2, "little") + text + numbers


def _in_safetensors(content: bytes, rng: random.Random) -> bytes:
    """Other weights or another description, mostly with the checksum that belongs to them."""
    length = int.from_bytes(content[:8], "little")
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    change = rng.random()
    if change < 0.7:
        described = json.loads(header["__metadata__"]["model"])
        _change(described, rng)
        header["__metadata__"]["model"] = json.dumps(described)
    elif change < 0.85:
        _change(header, rng)
    else:
        numbers = _flip(numbers, b"", rng) if rng.random() < 0.5 else numbers[:-4] + b"\0\0\xc0\x7f"
    packed = _safetensors(header, numbers)
    return _signed(packed, header, numbers) if rng.random() < 0.8 else packed


def _safetensors(header: Any, numbers: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def _signed(packed: bytes, header: Any, numbers: bytes) -> bytes:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        described = json.loads(header["__metadata__"]["model"])
        described.pop(weights.CHECKSUM, None)
        described[weights.CHECKSUM] = weights._checksum(described, load(packed))
    except (SafetensorError, KeyError, TypeError, AttributeError, ValueError, RuntimeError):
        return packed
    header["__metadata__"]["model"] = json.dumps(described)
    return _safetensors(header, numbers)


def _in_json(content: bytes, rng: random.Random) -> bytes:
    """Other values in JSON; the checksum of a part of an audit is made anew."""
    text, line, rest = content.partition(b"\n")
    is_signed = len(rest.strip()) == 64
    value = json.loads(text if is_signed else content)
    if rng.random() < 0.05:
        return b"[" * 100_000 if rng.random() < 0.5 else b'{"a":' * 20_000
    value = _change(value, rng)
    made = json.dumps(value).encode()
    return made + line + hashlib.sha256(made).hexdigest().encode() + b"\n" if is_signed else made


def _change(value: Any, rng: random.Random) -> Any:
    """Replace, drop, double or rename something somewhere inside a value."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            value[rng.choice(("", "x", key + "\x1b"))] = value.pop(key)
        elif rng.random() < 0.1:
            del value[key]
        else:
            value[key] = _change(value[key], rng)
        return value
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        value[at : at + 1] = [[], [value[at]] * 2, [_change(value[at], rng)], [_change(value[at], rng)]][
            rng.randrange(4)
        ]
        return value
    if isinstance(value, int | float) and rng.random() < 0.5:
        return rng.choice((-value, value + 1, value * 1000, value * 10**6, value / 2))
    return rng.choice(_VALUES)
