"""Exported files keep the parameters' names; the exported network and the model itself are left as they were."""

import importlib.util
import re

import numpy as np
import pytest
import torch
from torch import nn

import lossledger
from conftest import examples, network


class Several(nn.Module):
    """Two inputs, a normalisation, tied weights, and a dictionary of outputs."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens, scale):
        hidden = self.norm(self.embedding(tokens).mean(1) * scale)
        return {"hidden": hidden, "logits": self.head(hidden)}


def skip_without_onnx():
    if not torch.__version__.startswith("1.") and importlib.util.find_spec("onnx") is None:
        pytest.skip("onnx is not installed, which PyTorch's exporters need from version 2 on")


@pytest.mark.parametrize("exporter", ["script", "dynamo"])
def test_names_of_parameters_are_kept(exporter, tmp_path):
    skip_without_onnx()
    if exporter == "dynamo":
        pytest.importorskip("onnxscript", reason="onnxscript is not installed, which PyTorch's newer exporter needs")
    model = network().eval()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    x, _ = examples()
    lossledger.export(model, x[:4], tmp_path / "m.onnx", exporter=exporter)
    content = (tmp_path / "m.onnx").read_bytes()
    for name, parameter in model.named_parameters():
        assert name.encode() in content
        assert parameter.detach().numpy().tobytes() in content
    assert not model.training and all(torch.equal(each, before[name]) for name, each in model.state_dict().items())


def test_several_inputs_by_name_and_one_output_by_key(tmp_path):
    skip_without_onnx()
    model = Several()
    mean = model.norm.running_mean.clone()
    lossledger.export(model, {"tokens": torch.randint(0, 7, (3, 5)), "scale": torch.rand(3, 1)}, tmp_path / "m.onnx", output="logits")
    content = (tmp_path / "m.onnx").read_bytes()
    for name in (b"tokens", b"scale", b"norm.weight", b"embedding.weight"):
        assert name in content
    assert not re.search(rb"onnx::MatMul_\d+.{0,40}" + re.escape(model.head.weight.detach().numpy().tobytes()[:8]), content)
    assert torch.equal(model.norm.running_mean, mean)


def test_an_example_of_one_is_refused(tmp_path):
    skip_without_onnx()
    with pytest.raises(ValueError, match="two or more"):
        lossledger.export(network(), torch.zeros(1, 5), tmp_path / "m.onnx")


@pytest.mark.parametrize("noise", [nn.Dropout2d(0.5), nn.AlphaDropout(0.5), nn.RReLU()])
def test_noise_that_onnx_has_not_stands_in_the_file_as_in_evaluation(noise, tmp_path):
    skip_without_onnx()
    model = nn.Sequential(nn.Conv2d(2, 3, 3), noise, nn.BatchNorm2d(3), nn.Dropout(0.5))
    lossledger.export(model, torch.randn(4, 2, 5, 5), tmp_path / "m.onnx")
    content = (tmp_path / "m.onnx").read_bytes()
    assert b"BatchNormalization" in content and b"Dropout" in content
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("spectral", [nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm])
def test_layers_that_hold_results_of_their_last_pass_are_exported(spectral, tmp_path):
    skip_without_onnx()
    model = nn.Sequential(nn.utils.weight_norm(nn.Linear(5, 4)), nn.Tanh(), spectral(nn.Linear(4, 3)))
    model(torch.randn(6, 5)).sum().backward()
    held, buffers = model[0].weight, {name: each.clone() for name, each in model.named_buffers()}
    lossledger.export(model, torch.randn(4, 5), tmp_path / "m.onnx")
    content = (tmp_path / "m.onnx").read_bytes()
    for name, parameter in model.named_parameters():
        assert name.encode() in content and parameter.detach().numpy().tobytes() in content
    assert model[0].weight is held and held.grad_fn is not None
    assert buffers and all(torch.equal(each, buffers[name]) for name, each in model.named_buffers())
    model(torch.randn(6, 5))
    assert not all(torch.equal(each, buffers[name]) for name, each in model.named_buffers())


def test_a_forward_pass_that_writes_into_parameters_is_refused(tmp_path):
    skip_without_onnx()
    model = nn.Sequential(nn.Embedding(7, 4, max_norm=1.0), nn.Flatten(), nn.Linear(12, 3))
    before = model[0].weight.detach().clone()
    with pytest.raises(ValueError, match=r"writes into 0\.weight"):
        lossledger.export(model, torch.randint(0, 7, (4, 3)), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists() and torch.equal(model[0].weight, before)
