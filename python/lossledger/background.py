"""Rows of a recording in memory, and the thread that writes them while training goes on."""

from __future__ import annotations

import queue
import threading
from typing import Any, Optional, Union

import numpy as np
import torch

from .parameters import warn
from .recording import RecordingWriter


class Slot:
    """Memory of one row on the host: θ [K], then components [C][K]; where a GPU copies into it, until `event`."""

    def __init__(self, arrays: int, size: int, pinned: bool):
        self.host = torch.empty((arrays, size), dtype=torch.float32, pin_memory=pinned)
        self.numbers = self.host.numpy()
        self.event: Any = None
        self.iteration = 0

    def wait(self) -> None:
        """Waits until the numbers are there."""
        if self.event is not None:
            self.event.synchronize()
            self.event = None


class _Free:
    """A slot that may be used again once the jobs before it are done."""

    def __init__(self, slot: Slot):
        self.slot = slot


class BackgroundWriter:
    """Writes rows in the order in which they are submitted, and looks at them on the way; an error of its own is told at the next step."""

    SLOTS = 4
    """Rows in memory: the one being written, the one before it, and the next."""

    def __init__(self, writer: RecordingWriter, arrays: int, size: int, pinned: bool):
        self.writer = writer
        self.error: Optional[BaseException] = None
        self.unchanged = 0
        self._diverged = False
        self._last: Optional[np.ndarray] = None
        self._free: "queue.Queue[Slot]" = queue.Queue()
        self._jobs: "queue.Queue[Union[Slot, _Free, None]]" = queue.Queue()
        for _ in range(self.SLOTS):
            self._free.put(Slot(arrays, size, pinned))
        self._thread = threading.Thread(target=self._run, name="lossledger recorder", daemon=True)

    def start(self, first: np.ndarray) -> None:
        """Begins behind θ [K], which is in the files."""
        self._look(first.copy(), 0)
        self._thread.start()

    def slot(self) -> Slot:
        """A slot to fill; waits for one. Raises RuntimeError where writing has failed."""
        self.require()
        return self._free.get()

    def submit(self, slot: Slot) -> None:
        """Has a row written."""
        self._jobs.put(slot)

    def release(self, slot: Optional[Slot]) -> None:
        """Gives a slot back once it is written and no step needs it as its start."""
        if slot is not None:
            self._jobs.put(_Free(slot))

    def drain(self) -> None:
        """Waits until everything is in the files."""
        self._jobs.join()
        self.writer.flush()
        self.require()

    def close(self, ended: bool) -> None:
        """Writes what is left and closes the files; `ended`: training is over."""
        self._jobs.put(None)
        self._thread.join()
        self.writer.close(ended)
        if self.unchanged > 1:
            warn(f"{self.unchanged} of {self.writer.rows - 1} steps did not change the parameters")
        if ended:
            self.require()

    def require(self) -> None:
        """Raises RuntimeError where writing has failed."""
        if self.error is not None:
            raise RuntimeError(f"recording into {self.writer.folder} stopped: {self.error}") from self.error

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                if job is None:
                    return
                if isinstance(job, _Free):
                    self._free.put(job.slot)
                elif self.error is None and not self._diverged:
                    self._append(job)
            except BaseException as error:  # noqa: BLE001 - told to the training at its next step
                self.error = error
            finally:
                self._jobs.task_done()

    def _append(self, slot: Slot) -> None:
        slot.wait()
        theta, *parts = slot.numbers
        self._look(theta, slot.iteration)
        if not self._diverged:
            self.writer.append(slot.iteration, theta, parts)

    def _look(self, theta: np.ndarray, iteration: int) -> None:
        """Warns of rows that no ledger can be made of, or that are the same as the row before."""
        if not np.isfinite(theta.sum()) and not np.isfinite(theta).all():
            self._diverged = True
            warn(f"the parameters are not finite at iteration {iteration}: training diverged, and recording ends before it")
            return
        if self._last is not None and np.array_equal(theta.view(np.uint32), self._last.view(np.uint32)):
            self.unchanged += 1
            if self.unchanged == 1:
                warn(f"the parameters did not change in the step to iteration {iteration}: a learning rate of 0, no gradient, or rounding of a narrow type?")
        self._last = theta
