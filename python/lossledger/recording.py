"""The files of a recording: a folder with recording.json and one growing `.npy` file per array, one row a step."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

FORMAT = "lossledger recording"
VERSION = 1
DESCRIPTION = "recording.json"
CLOSED = "closed.json"
HEADER_BYTES = 128
LARGE_ROW_BYTES = 1 << 20
"""From which size on rows are written past the system's cache."""

Description = Dict[str, Any]


def _header(dtype: np.dtype, width: Optional[int], rows: int) -> bytes:
    """The first 128 bytes of an `.npy` file of shape [rows, width], or [rows] where width is None."""
    shape = f"({rows},)" if width is None else f"({rows}, {width})"
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + (HEADER_BYTES - 10).to_bytes(2, "little") + text.ljust(HEADER_BYTES - 11).encode() + b"\n"


class _DirectWriter:
    """
    Appends to a file past the system's cache, which costs a processor far less where rows are large. It writes whole pages: behind the last
    byte there may be zeros, fewer than a page, until the file is closed.
    """

    PAGE, BLOCK = 4096, 1 << 20

    def __init__(self, path: str, at: int):
        self.file = os.open(path, os.O_RDWR | os.O_DIRECT)  # type: ignore[attr-defined]
        self.memory = mmap.mmap(-1, self.BLOCK)
        self.buffer = np.frombuffer(self.memory, np.uint8)
        self.fill = at % self.PAGE
        self.start = at - self.fill
        with open(path, "rb") as file:
            file.seek(self.start)
            self.buffer[: self.fill] = np.frombuffer(file.read(self.fill), np.uint8)

    @classmethod
    def open(cls, path: str, at: int) -> "Optional[_DirectWriter]":
        """None where the system or the file system has no such writing."""
        try:
            return cls(path, at) if hasattr(os, "O_DIRECT") else None
        except OSError:
            return None

    def write(self, data: np.ndarray) -> None:
        """Writes bytes behind the others."""
        rest = data.view(np.uint8)
        while len(rest) > 0:
            count = min(len(rest), self.BLOCK - self.fill)
            self.buffer[self.fill : self.fill + count] = rest[:count]
            self.fill += count
            rest = rest[count:]
            if self.fill == self.BLOCK or len(rest) == 0:
                self._write_pages()

    def _write_pages(self) -> None:
        pages = -(-self.fill // self.PAGE) * self.PAGE
        self.buffer[self.fill : pages] = 0
        view, at = memoryview(self.memory)[:pages], self.start
        while len(view) > 0:
            written = os.pwrite(self.file, view, at)
            view, at = view[written:], at + written
        kept = self.fill % self.PAGE
        self.buffer[:kept] = self.buffer[self.fill - kept : self.fill]
        self.start += self.fill - kept
        self.fill = kept

    def close(self) -> None:
        os.close(self.file)


class GrowingArray:
    """
    An `.npy` file [rows, width] to which rows are appended. How long it is tells how many are whole, even after a kill; its header is
    brought up to date when the file is flushed or closed.
    """

    def __init__(self, path: str, dtype: str, width: Optional[int]):
        self.dtype, self.width = np.dtype(dtype), width
        self.row_bytes = self.dtype.itemsize * (1 if width is None else width)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.file = open(path, "r+b" if os.path.exists(path) else "w+b", buffering=0)
        self.rows = max(0, self.file.seek(0, os.SEEK_END) - HEADER_BYTES) // self.row_bytes if self.row_bytes else 0
        self.path = path
        self.direct: Optional[_DirectWriter] = None

    def truncate(self, rows: int) -> None:
        """Keeps the first rows alone."""
        if self.direct is not None:
            self.direct.close()
        self.rows = rows
        self.flush()
        self.file.truncate(self._end())
        self.direct = _DirectWriter.open(self.path, self._end()) if self.row_bytes >= LARGE_ROW_BYTES else None

    def append(self, row: np.ndarray) -> None:
        """Writes one row behind the others."""
        if self.direct is not None:
            self.direct.write(row)
        else:
            data = memoryview(row).cast("B")
            self.file.seek(self._end())
            while len(data) > 0:
                data = data[self.file.write(data) :]
        self.rows += 1

    def read(self, row: int) -> np.ndarray:
        """One row [width]."""
        self.file.seek(HEADER_BYTES + row * self.row_bytes)
        return np.frombuffer(self.file.read(self.row_bytes), self.dtype)

    def flush(self) -> None:
        """Brings the header up to date."""
        self.file.seek(0)
        self.file.write(_header(self.dtype, self.width, self.rows))

    def close(self) -> None:
        """Brings what was written to the disk."""
        if self.direct is not None:
            self.direct.close()
            self.file.truncate(self._end())
        self.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def _end(self) -> int:
        return HEADER_BYTES + self.rows * self.row_bytes


def _lock(file: Any, folder: str) -> None:
    """Keeps other processes from writing the recording; where there are no such locks, does nothing."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RuntimeError(f"{folder}: another Recorder is writing there; close that one, or give each run a folder of its own") from error


class RecordingWriter:
    """Appends rows to a recording: θ [K] and the components [C, K] of the updates that led there."""

    def __init__(self, folder: str, description: Description):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, DESCRIPTION)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
            _require_same(found, description, folder)
        elif os.listdir(folder):
            raise FileExistsError(f"{folder} is not empty and holds no recording; give the Recorder a folder of its own")
        else:
            content = {"format": FORMAT, "version": VERSION, "id": os.urandom(16).hex(), **description}
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
            os.replace(path + ".part", path)
        self._locked = open(path, "rb")
        _lock(self._locked, folder)
        size = sum(int(np.prod(each["shape"], dtype=np.int64)) for each in description["parameters"])
        self.theta = GrowingArray(os.path.join(folder, "theta.npy"), "<f4", size)
        self.updates = [
            GrowingArray(os.path.join(folder, "update", f"{name}.npy"), "<f4", size) for name in description["components"]
        ]
        self.iteration = GrowingArray(os.path.join(folder, "iteration.npy"), "<i8", None)
        large = self.updates and self.theta.row_bytes >= LARGE_ROW_BYTES
        self._threads = ThreadPoolExecutor(len(self.updates), "lossledger files") if large else None
        if os.path.exists(os.path.join(folder, CLOSED)):
            os.remove(os.path.join(folder, CLOSED))
        self._keep(min([self.iteration.rows, self.theta.rows, *(1 + update.rows for update in self.updates)]))

    @property
    def rows(self) -> int:
        """Rows that are whole."""
        return self.iteration.rows

    def resume_at(self, theta: np.ndarray) -> Optional[int]:
        """Goes on behind the last row that is θ [K] to the bit, and drops what stands behind it: its iteration. None where no row is."""
        bits = theta.view(np.uint32)
        for row in reversed(range(self.rows)):
            if np.array_equal(self.theta.read(row).view(np.uint32), bits):
                self._keep(row + 1)
                return int(self.iteration.read(row)[0])
        return None

    def append(self, iteration: int, theta: np.ndarray, updates: Sequence[np.ndarray]) -> None:
        """Writes θ [K] after `iteration` steps and, behind the first row, what moved it there [C][K]; large ones into all files at once."""
        pairs = list(zip(self.updates, updates)) if self.theta.rows > 0 else []
        if self._threads is not None:
            waiting = [self._threads.submit(array.append, update) for array, update in pairs]
            self.theta.append(theta)
            for each in waiting:
                each.result()
        else:
            for array, row in [*pairs, (self.theta, theta)]:
                array.append(row)
        # Last: a row counts once its iteration is there.
        self.iteration.append(np.array([iteration], "<i8"))

    def flush(self) -> None:
        """Brings the headers of the files up to date."""
        for array in [self.theta, *self.updates, self.iteration]:
            array.flush()

    def close(self, ended: bool) -> None:
        """Closes the files; `ended`: training is over, and no more rows will come."""
        if self._threads is not None:
            self._threads.shutdown()
        for array in [self.theta, *self.updates, self.iteration]:
            array.close()
        if ended:
            with open(os.path.join(self.folder, CLOSED), "w", encoding="utf-8") as file:
                json.dump({"rows": self.rows}, file)
        self._locked.close()

    def _keep(self, rows: int) -> None:
        self.iteration.truncate(rows)
        self.theta.truncate(rows)
        for update in self.updates:
            update.truncate(max(0, rows - 1))


def _require_same(found: Description, description: Description, folder: str) -> None:
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        raise ValueError(f"{folder}/{DESCRIPTION} is not of a recording of version {VERSION}; give the Recorder another folder")
    for key in ("parameters", "components", "every"):
        if found.get(key) != description[key]:
            raise ValueError(
                f"{folder} holds a recording with other {key}: {_short(found.get(key))}, and now {_short(description[key])}; "
                "go on with the same model and settings, or record into another folder"
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:200] + "…"


def digest(numbers: np.ndarray) -> str:
    """SHA-256 of numbers as little-endian float32."""
    return hashlib.sha256(np.ascontiguousarray(numbers, "<f4").tobytes()).hexdigest()


def load(folder: str) -> Tuple[Dict[str, np.ndarray], np.ndarray]:
    """Reads a recording: arrays by name, [T+1, …shape] of parameters and `update/COMPONENT/NAME` [T, …shape], all mapped from the files; and the iteration of each row [T+1]."""
    with open(os.path.join(folder, DESCRIPTION), encoding="utf-8") as file:
        description = json.load(file)
    iteration = np.load(os.path.join(folder, "iteration.npy"))
    rows = len(iteration)
    arrays: Dict[str, np.ndarray] = {}

    def add(path: List[str], prefix: str, count: int) -> None:
        width = sum(int(np.prod(each["shape"], dtype=np.int64)) for each in description["parameters"])
        file = os.path.join(folder, *path)
        flat = np.memmap(file, "<f4", "r", HEADER_BYTES, (count, width)) if count * width > 0 else np.zeros((count, width), "f4")
        at = 0
        for each in description["parameters"]:
            size = int(np.prod(each["shape"], dtype=np.int64))
            arrays[prefix + each["name"]] = flat[:, at : at + size].reshape(count, *each["shape"])
            at += size

    add(["theta.npy"], "", rows)
    for name in description["components"]:
        add(["update", f"{name}.npy"], f"update/{name}/", max(0, rows - 1))
    return arrays, iteration
