"""Where rows are computed: on a CPU in the memory that they are written from, else on the device, from which they are copied meanwhile."""

from __future__ import annotations

from typing import Any, List, Optional

import torch
from torch import Tensor

from .background import Slot


class Row:
    """θ [K] and components [C][K] while they are computed, `rows` [1 + C, K], and views of each parameter's own."""

    def __init__(self, rows: Tensor, parameters: List[Tensor]):
        self.rows, self.theta, self.parts = rows, rows[0], rows[1:]
        self._parameters = parameters
        self.copied: Any = None
        """When a device is done copying it to the host."""
        self._views: Optional[List[List[Tensor]]] = None

    @property
    def views(self) -> List[List[Tensor]]:
        """For each parameter its θ, then its components, each of its shape."""
        if self._views is None:
            self._views, at = [], 0
            for parameter in self._parameters:
                span = slice(at, at + parameter.numel())
                self._views.append([row[span].view(parameter.shape) for row in self.rows])
                at = span.stop
        return self._views


class HostRows:
    """Rows of parameters on a CPU, or on several devices: computed in the slots themselves."""

    pinned, together = False, False

    def __init__(self, arrays: int, parameters: List[Tensor]):
        self._parameters = parameters
        self._rows = {}

    def row(self, slot: Slot) -> Row:
        """Where to compute what the slot is to hold."""
        if id(slot) not in self._rows:
            self._rows[id(slot)] = Row(slot.host, self._parameters)
        return self._rows[id(slot)]

    def send(self, row: Row, slot: Slot) -> None:
        """Brings a row that is computed into its slot: it is there."""

    def load(self, row: Row) -> None:
        """Copies the parameters as they are now into the row."""
        for parameter, views in zip(self._parameters, row.views):
            views[0].copy_(parameter.detach())


class DeviceRows:
    """
    Rows of parameters on one device: computed in two buffers by turns, each in few operations over all of θ. On CUDA one is copied to the
    host by a stream of its own, while training goes on and the other is computed.
    """

    together = True

    def __init__(self, arrays: int, parameters: List[Tensor], device: torch.device):
        self.pinned = device.type == "cuda"
        self._parameters = parameters
        size = sum(parameter.numel() for parameter in parameters)
        self._buffers = [Row(torch.empty((arrays, size), dtype=torch.float32, device=device), parameters) for _ in range(2)]
        self._stream = torch.cuda.Stream(device) if self.pinned else None
        self._device = device

    def row(self, slot: Slot) -> Row:
        """Where to compute what the slot is to hold: the buffer whose copy is further back."""
        self._buffers.reverse()
        row = self._buffers[0]
        if row.copied is not None:
            torch.cuda.current_stream(self._device).wait_event(row.copied)
        return row

    def send(self, row: Row, slot: Slot) -> None:
        """Brings a row that is computed into its slot; the slot says when it is there."""
        if self._stream is None:
            slot.host.copy_(row.rows)
            return
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            slot.host.copy_(row.rows, non_blocking=True)
            # The writing thread sleeps, it does not spin, until the copy is done.
            row.copied = slot.event = torch.cuda.Event(blocking=True)
            slot.event.record(self._stream)

    def load(self, row: Row) -> None:
        """Copies the parameters as they are now into the row."""
        torch.cat([flat(parameter) for parameter in self._parameters], out=row.theta)


def flat(tensor: Tensor) -> Tensor:
    """A tensor's numbers [n], as float32, without copying where they are so."""
    return tensor.detach().reshape(-1).to(torch.float32)
