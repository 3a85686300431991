"""The objective process: what it answers against plain autograd, and the frames themselves."""

import hashlib
import io
import json
import struct

import numpy as np
import pytest
import torch
from torch import nn

from lossledger.objective import TorchObjective
from lossledger.protocol import answer_all
from conftest import examples, flat, network

LETTERS = struct.Struct("<4sIQ")


def cross_entropy(model, x, y):
    return nn.functional.cross_entropy(model(x), y, reduction="none")


def plain(model, loss):
    """Loss and gradient [K] of a scalar by autograd."""
    return loss.item(), torch.cat([each.reshape(-1) for each in torch.autograd.grad(loss, list(model.parameters()))]).detach().cpu().numpy()


@pytest.mark.parametrize("batch", [7, 40])
def test_whole_and_parts_are_those_of_autograd(batch):
    model = network()
    x, y = examples()
    half = torch.arange(40) % 2
    objective = TorchObjective(
        model, cross_entropy, [x, y], {"class": y, "half": half}, others={"validation": [x[:9], y[:9]]}, dtype=torch.float64, batch=batch
    )
    losses, gradients = objective.evaluate(True)
    x = x.double()
    masks = [y == k for k in range(3)] + [half == k for k in range(2)]
    each = nn.functional.cross_entropy(model(x), y, reduction="none")
    expected = [plain(model, each.mean())]
    for mask in masks:
        each = nn.functional.cross_entropy(model(x), y, reduction="none")
        expected.append(plain(model, each[mask].sum() / 40))
    expected.append(plain(model, nn.functional.cross_entropy(model(x[:9]), y[:9])))
    assert losses == pytest.approx([loss for loss, _ in expected], rel=1e-13)
    assert np.abs(gradients - np.stack([gradient for _, gradient in expected])).max() < 1e-15
    only, none = objective.evaluate(False)
    assert np.array_equal(only, losses) and none.shape == (7, 0)
    parts = objective.statement()["objectives"][0]["parts"]
    assert [part["by"] for part in parts] == ["class"] * 3 + ["half"] * 2
    assert sum(part["examples"] for part in parts[:3]) == 40


def test_tokens_are_weighted_and_divided_by_position(tmp_path):
    model = nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 6))
    tokens = torch.randint(0, 6, (5, 8))
    weights = (tokens != 0).float()
    where = (torch.arange(8) >= 4).long().expand(5, 8)

    def loss(model, tokens, weights):
        return nn.functional.cross_entropy(model(tokens).transpose(1, 2), tokens.roll(1, 1), reduction="none"), weights

    objective = TorchObjective(model, loss, {"tokens": tokens, "weights": weights}, {"position": where}, dtype=torch.float64, batch=2)
    losses, gradients = objective.evaluate(True)
    each = nn.functional.cross_entropy(model(tokens).transpose(1, 2), tokens.roll(1, 1), reduction="none") * weights.double()
    expected, gradient = plain(model, each.sum() / weights.sum().double())
    assert losses[0] == pytest.approx(expected, rel=1e-13) and losses[1] + losses[2] == pytest.approx(expected, rel=1e-13)
    assert np.abs(gradients[0] - gradient).max() < 1e-15


def test_batch_statistics_are_those_of_training_and_nothing_is_kept():
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    x, y = examples()
    before = model[1].running_mean.clone()
    objective = TorchObjective(model, cross_entropy, [x, y], batch=20, batch_statistics=True)
    losses, _ = objective.evaluate(True)
    assert torch.equal(model[1].running_mean, before)
    expected = torch.stack([nn.functional.cross_entropy(model(x[k : k + 20]), y[k : k + 20]) for k in (0, 20)]).mean().item()
    assert losses[0] == pytest.approx(expected, rel=1e-6)


def frames(data):
    found = []
    while data:
        magic, header, payload = LETTERS.unpack(data[:16])
        assert magic == b"LLP1"
        found.append((json.loads(data[16 : 16 + header]), data[16 + header : 16 + header + payload]))
        data = data[16 + header + payload :]
    return found


def test_frames(tmp_path):
    model = network()
    model[0].bias.requires_grad_(False)
    objective = TorchObjective(model, cross_entropy, list(examples()))
    theta = np.linspace(-1, 1, 67, dtype="<f4")
    requests = b""
    for number, want in enumerate(("gradient", "loss")):
        header = json.dumps({"kind": "evaluate", "id": number, "want": want}).encode()
        requests += LETTERS.pack(b"LLP1", len(header), theta.nbytes) + header + theta.tobytes()
    sink = io.BytesIO()
    answer_all(objective, io.BytesIO(requests), sink)
    (statement, _), (first, full), (second, short) = frames(sink.getvalue())
    assert [each["name"] for each in statement["parameters"]] == ["0.weight", "2.weight", "2.bias"]
    assert [each["neuronAxis"] for each in statement["parameters"]] == [0, 0, 0]
    assert statement["precision"] == "float32" and statement["deterministic"] is True
    assert (first["id"], second["id"]) == (0, 1)
    assert len(full) == 8 + 4 * 67 and full[:8] == short
    trained = [each for each in model.parameters() if each.requires_grad]
    assert np.array_equal(torch.cat([each.reshape(-1) for each in trained]).detach().numpy(), theta)


@pytest.mark.parametrize(
    "loss, message", [(lambda model, x, y: cross_entropy(model, x, y).mean(), "one number for each"), (lambda model, x, y: 1.0, "one number for each")]
)
def test_a_loss_that_is_a_mean_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        TorchObjective(network(), loss, list(examples())).evaluate(True)


def test_a_loss_that_writes_into_parameters_is_refused():
    model = nn.Sequential(nn.Embedding(7, 4, max_norm=1.0), nn.Flatten(), nn.Linear(12, 3))
    data = [torch.randint(0, 7, (20, 3)), torch.randint(0, 3, (20,))]
    with pytest.raises(ValueError, match=r"writes into 0\.weight"):
        TorchObjective(model, cross_entropy, data).evaluate(True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("dtype, bound", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_a_gpu_gives_the_same_to_the_bit_each_time_and_what_the_cpu_gives(dtype, bound):
    model = network()
    x, y = examples()
    expected, rows = TorchObjective(network_like(model), cross_entropy, [x, y], {"class": y}, dtype=torch.float64).evaluate(True)
    objective = TorchObjective(model, cross_entropy, [x, y], {"class": y}, device="cuda", dtype=dtype, batch=16)
    losses, gradients = objective.evaluate(True)
    again = objective.evaluate(True)
    assert np.array_equal(losses, again[0]) and np.array_equal(gradients, again[1])
    assert losses == pytest.approx(expected, rel=bound)
    assert np.abs(gradients - rows).max() < bound * np.abs(rows).max()


def network_like(model):
    other = network()
    other.load_state_dict(model.state_dict())
    assert np.array_equal(flat(other), flat(model))
    return other


def test_the_statement_says_what_is_frozen_and_which_running_statistics_are_used():
    x, y = examples()
    model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    model[0].bias.requires_grad_(False)
    bias = hashlib.sha256(model[0].bias.detach().numpy().tobytes()).hexdigest()
    statement = TorchObjective(model, cross_entropy, [x, y], dtype=torch.float64).statement()
    assert statement["frozen"] == [{"name": "0.bias", "sha256": bias}]
    assert "never trained" in statement["warnings"][0]
    model.train()(x.double())
    assert "at every θ" in TorchObjective(model, cross_entropy, [x, y]).statement()["warnings"][0]
    assert "warnings" not in TorchObjective(model, cross_entropy, [x, y], batch_statistics=True).statement()
    assert "frozen" not in TorchObjective(network(), cross_entropy, [x, y]).statement()
