"""The protocol of docs/OBJECTIVES.md on pipes: frames of a header and numbers."""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import Any, BinaryIO, Dict, Protocol, Tuple

import numpy as np
import torch

_MAGIC = b"LLP1"
_PREFIX = struct.Struct("<4sIQ")


class Answers(Protocol):
    """What answers θ: its statement, and losses and gradients where it is."""

    dtype: torch.dtype

    def statement(self) -> Dict[str, Any]: ...

    def load(self, theta: np.ndarray) -> None: ...

    def evaluate(self, want_gradient: bool) -> "Tuple[np.ndarray, np.ndarray]": ...


def answer_all(objective: Answers, source: BinaryIO, sink: BinaryIO) -> None:
    """Makes the statement, and answers requests until `source` ends."""
    _send(sink, objective.statement())
    kind = np.dtype("<f8" if objective.dtype == torch.float64 else "<f4")
    while True:
        prefix = source.read(_PREFIX.size)
        if len(prefix) < _PREFIX.size:
            return
        magic, header_bytes, payload_bytes = _PREFIX.unpack(prefix)
        if magic != _MAGIC:
            raise ValueError(f"a request that begins with {magic!r}; expected {_MAGIC!r}, as lca of this version sends it")
        request = json.loads(source.read(header_bytes))
        objective.load(np.frombuffer(source.read(payload_bytes), kind))
        losses, gradients = objective.evaluate(request["want"] == "gradient")
        _send(sink, {"kind": "answer", "id": request["id"]}, losses.astype("<f8"), gradients.astype(kind, copy=False))


def _send(sink: BinaryIO, header: Dict[str, Any], *arrays: np.ndarray) -> None:
    text = json.dumps(header).encode()
    sink.write(_PREFIX.pack(_MAGIC, len(text), sum(array.nbytes for array in arrays)) + text)
    for array in arrays:
        if array.nbytes > 0:
            sink.write(memoryview(np.ascontiguousarray(array)).cast("B"))
    sink.flush()


class channel:
    """Standard input and output for the protocol alone; what is printed meanwhile goes to standard error."""

    def __enter__(self) -> "Tuple[BinaryIO, BinaryIO]":
        sys.stdout.flush()
        self.kept = os.dup(1)
        os.dup2(2, 1)
        self.sink = os.fdopen(os.dup(self.kept), "wb", buffering=1 << 20)
        return sys.stdin.buffer, self.sink

    def __exit__(self, *_: Any) -> None:
        try:
            self.sink.close()
        except BrokenPipeError:
            pass
        os.dup2(self.kept, 1)
        os.close(self.kept)
