"""Records a model's parameters at every step of its optimiser, as `lca measure --trajectory FOLDER` reads them."""

from __future__ import annotations

import atexit
import os
import types
from typing import Any, Dict, List, Optional

import torch
from torch import nn

from .parameters import warn_of_others
from .steps import StepRecorder


class Recorder:
    """
    Records θ before the first step of `optimizer` and after every one (every `every`-th, and whenever the optimiser's state is
    saved), into `folder`. Nothing else of the training script changes, and nothing of the training.

    - `components`: also what each step was made of: gradient, momentum, weight decay (SGD, Adam, AdamW).
    - `steps`: how many steps the training is to have, which `lca measure --follow` needs.
    - `frozen`: also record parameters with requires_grad=False; otherwise they are taken to stay as they are.

    A row is the parameters in the order of `model.named_parameters()`, as float32, without the names of wrappers (`module.`). Tied
    weights are recorded once. Under DistributedDataParallel the first process records, the others do nothing.

    After a kill, go on from any checkpoint: the recorder finds the row that the loaded parameters are, and goes on behind it.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        folder: "str | os.PathLike[str]",
        every: int = 1,
        components: bool = True,
        steps: Optional[int] = None,
        frozen: bool = False,
    ):
        if every < 1:
            raise ValueError(f"every is {every}; expected a number of steps from 1 on")
        self.folder = os.fspath(folder)
        self.model, self.optimizer = model, optimizer
        self._settings = {"every": every, "components": components, "steps": steps, "frozen": frozen}
        self._state: Optional[StepRecorder] = None
        self._closed = not _is_first_process()
        self._handles: List[Any] = []
        if not self._closed:
            self._hook()
            atexit.register(self.close, ended=False)

    @property
    def iteration(self) -> int:
        """Steps taken since the recording began."""
        return 0 if self._state is None else self._state.iteration

    def flush(self) -> None:
        """
        Records the parameters as they are behind the last step, and waits until all that was recorded is in the files. Saving the optimiser's
        state does it, too. Before the first step, records the start: needed only where something else than this optimiser moves parameters first.
        """
        self._begin()
        self._flush()

    def _flush(self) -> None:
        if self._state is not None and not self._closed:
            self._state.flush()

    def close(self, ended: bool = True) -> None:
        """Ends the recording and lets go of the optimiser. `ended`: the training is over (a follower stops waiting for rows)."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        for handle in self._handles:
            handle.remove()
        if self._state is not None:
            self._state.close(ended)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.close(ended=kind is None)

    def _hook(self) -> None:
        optimizer = self.optimizer
        if hasattr(optimizer, "register_step_post_hook"):
            self._handles.append(optimizer.register_step_pre_hook(lambda *_: self._before()))
            self._handles.append(optimizer.register_step_post_hook(lambda _, __, kwargs: self._after(kwargs)))
        else:
            self._handles.append(_Wrapped(optimizer, "step", self._before, self._after))
        self._handles.append(_Wrapped(optimizer, "state_dict", self._flush, None))

    def _before(self) -> None:
        if self._state is None:
            self._begin()
            if self._state is not None:
                warn_of_others(self.model, self.optimizer)

    def _begin(self) -> None:
        if self._state is None and not self._closed:
            # The group of processes may have been made after the recorder.
            if _is_first_process():
                self._state = StepRecorder(self.model, self.optimizer, self.folder, **self._settings)
            else:
                self.close()

    def _after(self, kwargs: Optional[Dict[str, Any]] = None) -> None:
        if not self._closed and self._state is not None and not _was_skipped(self.optimizer, kwargs or {}):
            self._state.step()


class _Wrapped:
    """An optimiser's method with something done before and after, for PyTorch before 2.0, which has no hooks."""

    def __init__(self, optimizer: torch.optim.Optimizer, name: str, before: Any, after: Any):
        inner = getattr(optimizer, name)
        self.optimizer, self.name, self.inner = optimizer, name, inner
        self.own = optimizer.__dict__.get(name)

        def method(_: Any, *args: Any, **kwargs: Any) -> Any:
            before()
            result = inner(*args, **kwargs)
            if after is not None:
                after(kwargs)
            return result

        # Schedulers look for the marks that they left on the method.
        method.__dict__.update(getattr(inner, "__dict__", {}))
        self.method = types.MethodType(method, optimizer)
        optimizer.__dict__[name] = self.method

    def remove(self) -> None:
        if self.optimizer.__dict__.get(self.name) is not self.method:
            return
        if self.own is None:
            del self.optimizer.__dict__[self.name]
        else:
            self.optimizer.__dict__[self.name] = self.own


def _is_first_process() -> bool:
    from torch import distributed

    return not (distributed.is_available() and distributed.is_initialized() and distributed.get_rank() != 0)


def _was_skipped(optimizer: torch.optim.Optimizer, kwargs: Dict[str, Any]) -> bool:
    """Whether a gradient scaler let an optimiser that unscales by itself skip the step; of others it does not call step at all."""
    found = getattr(optimizer, "found_inf", None)
    if found is None and kwargs.get("grad_scaler") is not None:
        found = sum(kwargs["grad_scaler"]._found_inf_per_device(optimizer).values())
    return found is not None and bool(found)
