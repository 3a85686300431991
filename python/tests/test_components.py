"""Components of steps: they add up to the motion, and each is what the optimiser's formula says, redone in float64."""

import numpy as np
import pytest
import torch

import lossledger
from lossledger import steps
from lossledger.rows import DeviceRows
from conftest import flat, network, recorded, train

STEPS = 12
TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])

CASES = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "sgd, weight decay": (torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.01}),
    "momentum": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    "dampening": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    "dampening, no decay": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    "nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "nesterov, decay": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "nesterov, many tensors": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "foreach": True}),
    "momentum, many tensors": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "foreach": True}),
    "nesterov, decay, many tensors": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "foreach": True}),
    "adamw, many tensors": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1, "foreach": True}),
    "maximize": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "maximize": True, "weight_decay": 0.01}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adam, L2": (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "amsgrad": (torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "betas": (0.8, 0.9)}),
    "adam, maximize": (torch.optim.Adam, {"lr": 0.01, "maximize": True}),
    "adam, many tensors": (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "foreach": True}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw, groups": (torch.optim.AdamW, {"lr": 0.01}),
}


def reference(kind, settings, theta, gradients):
    """The parts [T, 3, K] by the formulas of PyTorch's documentation, in float64."""
    lr, decay = settings["lr"], settings.get("weight_decay", 0.01 if kind is torch.optim.AdamW else 0.0)
    sign = -1.0 if settings.get("maximize") else 1.0
    rows, memory, square, largest = [], None, 0.0, 0.0
    for t, gradient in enumerate(gradients.astype(np.float64) * sign):
        own = decay * theta[t].astype(np.float64)
        if kind is torch.optim.SGD:
            mu, tau = settings.get("momentum", 0.0), settings.get("dampening", 0.0)
            first = memory is None
            old, intake = (0.0, 1.0) if first else (mu * memory, 1.0 - tau)
            memory = old + intake * (gradient + own)
            if mu == 0:
                parts = (gradient, 0 * gradient, own)
            elif settings.get("nesterov"):
                parts = ((1 + mu * intake) * gradient, mu * old + 0 * gradient, (1 + mu * intake) * own)
            else:
                parts = (intake * gradient, old + 0 * gradient, intake * own)
            rows.append([-lr * part for part in parts])
            continue
        beta1, beta2 = settings.get("betas", (0.9, 0.999))
        coupled = own if kind is torch.optim.Adam else 0 * own
        old = 0 * gradient if memory is None else beta1 * memory
        memory = old + (1 - beta1) * (gradient + coupled)
        square = beta2 * square + (1 - beta2) * (gradient + coupled) ** 2
        largest = np.maximum(largest, square)
        root = np.sqrt((largest if settings.get("amsgrad") else square) / (1 - beta2 ** (t + 1))) + 1e-8
        rate = -lr / (1 - beta1 ** (t + 1)) / root
        rows.append([rate * (1 - beta1) * gradient, rate * old, rate * (1 - beta1) * coupled if kind is torch.optim.Adam else -lr * own])
    return np.array(rows)


@pytest.mark.parametrize("together", [False, True], ids=["each parameter", "all end to end"])
@pytest.mark.parametrize("name", CASES)
def test_components_are_those_of_the_formulas(name, together, tmp_path, monkeypatch):
    # As on a GPU: in few operations, by two buffers that are copied.
    if together:
        monkeypatch.setattr(steps, "HostRows", lambda arrays, parameters: DeviceRows(arrays, parameters, torch.device("cpu")))
    kind, settings = CASES[name]
    model = network()
    parameters = list(model.parameters())
    if "groups" in name:
        settings = {**settings, "weight_decay": 0.05}
        optimizer = kind([{"params": parameters[:2]}, {"params": parameters[2:]}], **settings)
    else:
        optimizer = kind(parameters, **settings)
    gradients = []
    inner = optimizer.step
    # Taken before the step: some forms of steps write into the gradients.
    def step(*args, **kwargs):
        gradients.append(torch.cat([each.grad.reshape(-1) for each in parameters]).numpy().copy())
        return inner(*args, **kwargs)

    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r")
    inner = optimizer.step
    optimizer.__dict__["step"] = step
    theta = train(model, optimizer, STEPS)
    del optimizer.__dict__["step"]
    recorder.close()
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    parts = np.stack([recorded(tmp_path / "r", model, f"update/{part}/") for part in ("gradient", "momentum", "weightDecay")], axis=1)
    expected = reference(kind, settings, theta, np.stack(gradients))
    scale = np.abs(expected).max()
    assert np.abs(parts - expected).max() < 2e-5 * scale
    motion = np.diff(theta.astype(np.float64), axis=0)
    size = np.abs(theta[1:]) + np.abs(theta[:-1]) + np.abs(parts).sum(1)
    assert (np.abs(motion - parts.astype(np.float64).sum(1)) <= 2.0**-22 * size).all()


@pytest.mark.parametrize("together", [False, True])
def test_parameters_that_join_late_and_sums_over_steps(together, tmp_path, monkeypatch):
    if together:
        monkeypatch.setattr(steps, "HostRows", lambda arrays, parameters: DeviceRows(arrays, parameters, torch.device("cpu")))
    model = network()
    first, second, third, fourth = model.parameters()
    optimizer = torch.optim.AdamW([{"params": [first, fourth], "lr": 0.02}, {"params": [second, third]}], lr=0.01, weight_decay=0.1)
    second.requires_grad_(False)

    def join(step):
        if step == 3:
            second.requires_grad_(True)

    with lossledger.Recorder(model, optimizer, tmp_path / "r", every=2):
        theta = train(model, optimizer, 8, after=join)[::2]
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    parts = np.stack([recorded(tmp_path / "r", model, f"update/{part}/") for part in ("gradient", "momentum", "weightDecay")])
    assert np.abs(np.diff(theta.astype(np.float64), axis=0) - parts.sum(0, dtype=np.float64)).max() < 1e-6
    bias = slice(first.numel(), first.numel() + second.numel())
    assert (parts[:, :2, bias] == 0).all() and (parts[0, 2:, bias] != 0).any()


def test_an_unknown_optimiser_is_recorded_without_components(tmp_path):
    model = network()
    optimizer = torch.optim.RMSprop(model.parameters())
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        with pytest.warns(UserWarning, match="RMSprop"):
            theta = train(model, optimizer, 3)
    arrays, _ = lossledger.load(str(tmp_path / "r"))
    assert not any(name.startswith("update/") for name in arrays)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("fused", [False, True])
def test_components_on_a_gpu(fused, tmp_path):
    model = network().cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1, fused=fused)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        theta = train(model, optimizer, STEPS)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
    assert np.abs(np.diff(theta.astype(np.float64), axis=0) - parts).max() < 1e-6
    assert np.array_equal(flat(model), theta[-1])
