"""A Lightning callback that records training (lightning or pytorch-lightning, from 2.0 on)."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, Optional

from .recorder import Recorder

if TYPE_CHECKING:
    from lightning.pytorch import Callback
else:
    # The one that the script has imported already, as both may be installed.
    _found = [name for name in ("lightning.pytorch", "pytorch_lightning") if name in sys.modules]
    _names = [*_found, "lightning.pytorch", "pytorch_lightning"]
    Callback = None
    for _name in _names:
        try:
            Callback = importlib.import_module(_name).Callback
            break
        except ImportError:
            continue
    if Callback is None:
        raise ImportError("neither lightning nor pytorch-lightning is installed; expected one of them from 2.0 on")


class RecorderCallback(Callback):
    """Records the first optimiser of a LightningModule into `folder`; other arguments are the Recorder's."""

    def __init__(self, folder: str, **arguments: Any):
        self.folder, self.arguments = folder, arguments
        self.recorder: Optional[Recorder] = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        if len(trainer.optimizers) != 1:
            raise ValueError(f"{len(trainer.optimizers)} optimisers; the callback records one: use Recorder in the module instead")
        steps = int(trainer.estimated_stepping_batches) if trainer.estimated_stepping_batches != float("inf") else None
        self.recorder = Recorder(pl_module, trainer.optimizers[0], self.folder, **{"steps": steps, **self.arguments})

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        if self.recorder is not None:
            self.recorder.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self.recorder is not None:
            self.recorder.close(ended=False)
