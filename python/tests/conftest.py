"""What several files of tests share: small data and a training step."""

import numpy as np
import pytest
import torch
from torch import nn


@pytest.fixture(autouse=True)
def exact():
    """The same numbers in every test; no test leaves global settings changed."""
    torch.manual_seed(0)
    yield
    torch.use_deterministic_algorithms(False)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))


def examples(count: int = 40):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, 5, generator=generator)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()


def train(model, optimizer, steps: int, after=None, loss=nn.functional.cross_entropy):
    """Takes steps on mini-batches in a fixed order, and gives θ [steps + 1, K] in float32 as they were."""
    x, y = (each.to(next(model.parameters()).device) for each in examples())
    rows = [flat(model)]
    for step in range(steps):
        at = (8 * step) % 40
        optimizer.zero_grad()
        loss(model(x[at : at + 8].to(next(model.parameters()).dtype)).float(), y[at : at + 8]).backward()
        optimizer.step()
        rows.append(flat(model))
        if after is not None:
            after(step)
    return np.stack(rows)


def flat(model) -> np.ndarray:
    return torch.cat([each.detach().float().cpu().reshape(-1) for each in model.parameters()]).numpy()


def recorded(folder, model, prefix: str = "") -> np.ndarray:
    """Rows of a recording end to end, in the order of the model's parameters."""
    import lossledger

    arrays, _ = lossledger.load(str(folder))
    names = [name for name, _ in model.named_parameters()]
    rows = [arrays[prefix + name] for name in names]
    return np.concatenate([each.reshape(len(each), -1) for each in rows], axis=1)
