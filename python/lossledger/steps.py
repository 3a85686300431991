"""What a recorder does at each step of its optimiser."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from .background import BackgroundWriter, Slot
from .components import NAMES, StepSplitter, splitter_of
from .parameters import numbers_of, recorded_parameters, type_of, unwrapped, warn
from .recording import RecordingWriter, digest
from .rows import DeviceRows, HostRows, Row


class StepRecorder:
    """A recording from the moment when the first step is about to be taken: the parameters are final, and a row of them is in the files."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, folder: str, every: int, components: bool, steps: Optional[int], frozen: bool
    ):
        self.model, self.optimizer, self.folder, self.every = model, optimizer, folder, every
        named, ties, still = recorded_parameters(model, optimizer, frozen)
        parameters = [parameter for _, parameter in named]
        split = _splitter(optimizer, named) if components else None
        names = NAMES if split is not None else []
        self.still = [(name, parameter, digest(numbers_of(parameter))) for name, parameter in still]
        self.known = {id(parameter) for parameter in parameters}
        self.count = _count(optimizer)
        devices = {parameter.device for parameter in parameters}
        on_device = len(devices) == 1 and parameters[0].device.type != "cpu"
        arrays, size = 1 + len(names), sum(parameter.numel() for parameter in parameters)
        self.rows: Union[HostRows, DeviceRows] = DeviceRows(arrays, parameters, parameters[0].device) if on_device else HostRows(arrays, parameters)
        self.splitter = None if split is None else StepSplitter(optimizer, split, parameters, self.rows.together)
        device = parameters[0].device if on_device else torch.device("cpu")
        # Components of one step alone, where rows hold those of several.
        self.scratch = Row(torch.empty((arrays, size), dtype=torch.float32, device=device), parameters) if names and every > 1 else None
        writer = RecordingWriter(folder, _description(named, names, ties, self.still, every, steps, optimizer))
        self.writer = BackgroundWriter(writer, arrays, size, self.rows.pinned)
        self.accumulated = 0
        self.iteration = self.recorded = self._first(writer)

    @torch.no_grad()
    def _first(self, writer: RecordingWriter) -> int:
        """Records θ before the first step, or finds where a recording that exists goes on: the iteration."""
        self.held = slot = self.writer.slot()
        self.row = self.rows.row(slot)
        self.rows.load(self.row)
        self.rows.send(self.row, slot)
        slot.wait()
        iteration = self._place(writer, slot.numbers[0])
        self.writer.start(slot.numbers[0])
        return iteration

    def _place(self, writer: RecordingWriter, theta: np.ndarray) -> int:
        if writer.rows == 0:
            writer.append(0, theta, [])
            return 0
        stored = writer.rows
        iteration = writer.resume_at(theta)
        if iteration is None:
            apart = f" (one every {self.every} steps, and where the optimiser's state was saved)" if self.every > 1 else ""
            raise ValueError(
                f"{self.folder} holds {stored} rows{apart}, and none of them is what the parameters are now; load the "
                "checkpoint before the first step to go on, or record into another folder"
            )
        if stored > writer.rows:
            warn(f"{self.folder}: goes on at iteration {iteration}; {stored - writer.rows} later rows are recorded anew")
        return iteration

    def step(self) -> None:
        """Takes in the step that was just taken, and records it where it is due."""
        self.iteration += 1
        if _count(self.optimizer) != self.count:
            self._require_recorded()
        self._take(self.iteration % self.every == 0)

    def _require_recorded(self) -> None:
        """Parameters may join the optimiser late, but not such as are in no row."""
        self.count = _count(self.optimizer)
        optimised = {id(each) for group in self.optimizer.param_groups for each in group["params"]}
        late = [name for name, each in self.model.named_parameters() if id(each) in optimised - self.known]
        if late:
            raise RuntimeError(
                f"{unwrapped(late[0])} was added to the optimiser while it was recorded, and is in no row; give the Recorder frozen=True, "
                "so that parameters that are frozen at first are recorded from the start, or make a new Recorder in another folder"
            )

    def flush(self) -> None:
        """Records the steps since the last row, and waits until all is in the files."""
        self._catch_up()
        self.writer.drain()

    def close(self, ended: bool) -> None:
        """Ends the recording; `ended`: training is over."""
        if ended and self.writer.error is None:
            self._catch_up()
            self._warn_of_frozen_motion()
        self.writer.close(ended)

    def _warn_of_frozen_motion(self) -> None:
        moved = [name for name, parameter, sha256 in self.still if digest(numbers_of(parameter)) != sha256]
        if moved:
            warn(
                f"{self.folder}: {moved[0]} was frozen when the recording began and has moved since ({len(moved)} of {len(self.still)} frozen "
                "parameters have): its motion is in no row; record with frozen=True"
            )

    def _catch_up(self) -> None:
        if self.iteration > self.recorded:
            self._submit()

    @torch.no_grad()
    def _take(self, due: bool) -> None:
        """Computes what the step was made of, and θ behind it, now: it may be moved or swapped before a row of it is due."""
        self.writer.require()
        before = self.row
        if self.accumulated == 0:
            self.slot: Slot = self.writer.slot()
            self.row = self.rows.row(self.slot)
        if self.splitter is not None:
            target = self.row if self.accumulated == 0 or self.scratch is None else self.scratch
            self.splitter.split(before, target)
            if target is self.scratch:
                self.row.parts.add_(target.parts)
        self.rows.load(self.row)
        self.accumulated += 1
        if due:
            self._submit()

    def _submit(self) -> None:
        slot = self.slot
        slot.iteration = self.recorded = self.iteration
        self.rows.send(self.row, slot)
        self.accumulated = 0
        before, self.held = self.held, slot
        self.writer.submit(slot)
        self.writer.release(before)


def _description(
    named: "List[Tuple[str, Tensor]]", components: List[str], ties: Dict[str, str], still: "List[Tuple[str, Tensor, str]]",
    every: int, steps: Optional[int], optimizer: torch.optim.Optimizer,
) -> Dict[str, Any]:  # fmt: skip
    """What recording.json says."""
    return {
        "parameters": [{"name": name, "shape": list(parameter.shape), "dtype": type_of(parameter)} for name, parameter in named],
        "components": components,
        "every": every,
        "steps": steps,
        "tied": ties,
        "frozen": [{"name": name, "sha256": sha256} for name, _, sha256 in still],
        "optimizer": type(optimizer).__name__,
        "torch": torch.__version__,
    }


def _count(optimizer: torch.optim.Optimizer) -> int:
    return sum(len(group["params"]) for group in optimizer.param_groups)


def _splitter(optimizer: torch.optim.Optimizer, named: "List[Tuple[str, Tensor]]") -> Any:
    split = splitter_of(optimizer)
    if split is None:
        warn(f"what steps of {type(optimizer).__name__} are made of is not known (SGD, Adam, AdamW are): only the parameters are recorded")
        return None
    narrow = [name for name, each in named if each.dtype not in (torch.float32, torch.float64)]
    if narrow:
        warn(f"{narrow[0]} is of a narrow type, whose rounding moves it too: only the parameters are recorded, no components")
        return None
    return split
