"""A callback for Hugging Face's Trainer that records training."""

from __future__ import annotations

from typing import Any, Optional

from transformers import TrainerCallback

from .recorder import Recorder


class RecorderCallback(TrainerCallback):
    """Records the Trainer's optimiser into `folder`; other arguments are the Recorder's."""

    def __init__(self, folder: str, **arguments: Any):
        self.folder, self.arguments = folder, arguments
        self.recorder: Optional[Recorder] = None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **kwargs: Any) -> None:
        # Accelerate wraps the optimiser that takes the steps.
        while hasattr(optimizer, "optimizer"):
            optimizer = optimizer.optimizer
        steps = state.max_steps if state.max_steps > 0 else None
        self.recorder = Recorder(model, optimizer, self.folder, **{"steps": steps, **self.arguments})

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.recorder is not None:
            self.recorder.close()
