"""The callbacks, with the real trainers where they are installed; otherwise with the hooks that their documentation names."""

import importlib
import importlib.util
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

import lossledger
from conftest import examples, flat, network, recorded, train


def forget(name):
    sys.modules.pop(name, None)


@pytest.fixture
def stand_ins(monkeypatch):
    """Modules with the base classes alone, for a Python without the libraries."""
    lightning = types.ModuleType("lightning.pytorch")
    lightning.Callback = type("Callback", (), {})
    transformers = types.ModuleType("transformers")
    transformers.TrainerCallback = type("TrainerCallback", (), {})
    monkeypatch.setitem(sys.modules, "lightning", types.ModuleType("lightning"))
    monkeypatch.setitem(sys.modules, "lightning.pytorch", lightning)
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    for name in ("lossledger.lightning", "lossledger.huggingface"):
        forget(name)
    yield
    for name in ("lossledger.lightning", "lossledger.huggingface"):
        forget(name)


def test_the_hooks_of_lightning(stand_ins, tmp_path):
    callback = importlib.import_module("lossledger.lightning").RecorderCallback(str(tmp_path / "r"))
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    trainer = types.SimpleNamespace(optimizers=[optimizer], estimated_stepping_batches=3)
    callback.on_train_start(trainer, model)
    theta = train(model, optimizer, 3)
    callback.on_train_end(trainer, model)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    assert '"steps": 3' in (tmp_path / "r" / "recording.json").read_text()


def test_the_hooks_of_hugging_face(stand_ins, tmp_path):
    callback = importlib.import_module("lossledger.huggingface").RecorderCallback(str(tmp_path / "r"), components=False)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters())
    state = types.SimpleNamespace(max_steps=3)
    callback.on_train_begin(None, state, None, model=model, optimizer=types.SimpleNamespace(optimizer=optimizer))
    theta = train(model, optimizer, 3)
    callback.on_train_end(None, state, None)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)


def installed(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("library", ["lightning.pytorch", "pytorch_lightning"])
def test_with_lightning_itself(library, tmp_path):
    pytest.importorskip(library, reason=f"{library} is not installed")
    forget("lossledger.lightning")
    for other in {"lightning.pytorch", "pytorch_lightning"} - {library}:
        forget(other)
    pl = importlib.import_module(library)
    RecorderCallback = importlib.import_module("lossledger.lightning").RecorderCallback

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()
            self.rows = []

        def training_step(self, batch, _):
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def on_before_zero_grad(self, optimizer):
            self.rows.append(flat(self))

        def on_train_batch_end(self, *_):
            self.last = flat(self)

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=0.01)

    model = Module()
    start = flat(model)
    trainer = pl.Trainer(
        max_epochs=2, callbacks=[RecorderCallback(str(tmp_path / "r"))], default_root_dir=str(tmp_path), logger=False,
        enable_progress_bar=False, enable_model_summary=False, accelerator="cpu", devices=1, accumulate_grad_batches=2,
    )  # fmt: skip
    trainer.fit(model, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*examples()), batch_size=10))
    rows = recorded(tmp_path / "r", model)
    assert trainer.global_step == 4 and len(rows) == 5
    assert np.array_equal(rows[0], start) and np.array_equal(rows[-1], flat(model))
    parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
    assert np.abs(np.diff(rows.astype(np.float64), axis=0) - parts).max() < 1e-6


def test_with_hugging_face_itself(tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed, which the Trainer needs")
    forget("lossledger.huggingface")
    RecorderCallback = importlib.import_module("lossledger.huggingface").RecorderCallback
    x, y = examples()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, x, labels):
            logits = self.net(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    model = Model()
    start = flat(model)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"), max_steps=4, per_device_train_batch_size=5, gradient_accumulation_steps=2,
        save_steps=2, report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    data = [{"x": x[k], "labels": y[k]} for k in range(40)]
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=data, callbacks=[RecorderCallback(str(tmp_path / "r"))])
    trainer.train()
    rows = recorded(tmp_path / "r", model)
    assert len(rows) == 5
    assert np.array_equal(rows[0], start) and np.array_equal(rows[-1], flat(model))
    parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
    assert np.abs(np.diff(rows.astype(np.float64), axis=0) - parts).max() < 1e-6
