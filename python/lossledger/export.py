"""Writes a model as an ONNX file that `lca measure --model` reads with the names of the parameters kept."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import os
import types
import warnings
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

import torch
from torch import Tensor, nn

from .parameters import only_read

Example = Union[Tensor, Sequence[Tensor], Mapping[str, Tensor]]


def export(
    model: nn.Module,
    example: Example,
    path: "str | os.PathLike[str]",
    *,
    output: "int | str" = 0,
    exporter: str = "script",
    opset: int = 17,
) -> None:
    """
    Writes `model` to `path` as it computes in training: batch normalisation by the statistics of its batch, dropout in place
    (`lca measure` turns it off; of whole channels and the like, which ONNX has not, it is left out), nothing folded. The first axis of every
    input and of the output is the examples.

    - `example`: inputs of two or more examples: a tensor, several in the order of `forward`, or by the names of its arguments.
    - `output`: which output is measured, where there are several: its place or its key.
    - `exporter`: `script` traces the model (every PyTorch); `dynamo` takes PyTorch's newer exporter (2.5 on, with onnxscript).

    The model itself is not touched: a copy in float32 on the CPU is exported. A forward pass that writes into parameters, as that of an
    Embedding with max_norm does, raises ValueError: no file has that.
    """
    if exporter not in ("script", "dynamo"):
        raise ValueError(f"exporter is {exporter!r}; expected 'script' or 'dynamo'")
    _require_packages(exporter)
    while isinstance(getattr(model, "module", None), nn.Module) or hasattr(model, "_orig_mod"):
        model = model.module if hasattr(model, "module") else model._orig_mod
    plain = _copied(model).float().cpu().train()
    _keep_spectral_vectors(plain)
    _turn_off_unwritten_noise(plain)
    for parameter in plain.parameters():
        parameter.requires_grad_(True)
    names, inputs, is_mapping = _inputs(plain, example)
    kwargs = dict(zip(names, inputs)) if is_mapping else {}
    _require_parameters_only_read(_copied(plain), () if is_mapping else tuple(inputs), kwargs)
    _single_output(plain, output)
    arguments: Dict[str, Any] = {
        "input_names": names,
        "output_names": ["output"],
        "opset_version": opset,
        "do_constant_folding": False,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="torch.onnx")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        if exporter == "dynamo":
            _by_dynamo(plain, () if is_mapping else tuple(inputs), kwargs, os.fspath(path), arguments)
        else:
            _by_script(plain, (kwargs,) if is_mapping else tuple(inputs), os.fspath(path), arguments)


def _copied(model: nn.Module) -> nn.Module:
    """
    A copy with its own parameters. What layers hold as results of their last forward pass, as weight and spectral normalisation hold the
    weight, is copied without the way it was computed, which PyTorch refuses to copy; the next pass computes it anew.
    """
    memo: Dict[int, Any] = {}

    def note(value: Any) -> None:
        if isinstance(value, Tensor) and not value.is_leaf:
            memo[id(value)] = value.detach().clone()
        elif isinstance(value, (list, tuple)):
            for each in value:
                note(each)
        elif isinstance(value, dict):
            for each in value.values():
                note(each)

    for module in model.modules():
        note({name: value for name, value in vars(module).items() if name != "_modules"})
    return copy.deepcopy(model, memo)


def _keep_spectral_vectors(model: nn.Module) -> None:
    """Spectral normalisation divides by what its vectors give, as in evaluation: moving them is no part of the loss, and no exporter writes it."""
    for module in model.modules():
        for each in [module, *module._forward_pre_hooks.values()]:
            if type(each).__name__ in ("SpectralNorm", "_SpectralNorm") and hasattr(each, "n_power_iterations"):
                each.n_power_iterations = 0  # type: ignore[union-attr,assignment]


def _require_parameters_only_read(model: nn.Module, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
    """By a pass forward, which moves what a model keeps of its batches; hence of a copy, and random numbers are put back."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]), only_read(model.named_parameters()):
        model(*args, **kwargs)


_UNWRITTEN_NOISE = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout, nn.RReLU)
"""Layers that draw random numbers in training, for which ONNX has no operator."""


def _turn_off_unwritten_noise(model: nn.Module) -> None:
    """They stand in the file as in evaluation, as all dropout is measured."""
    for module in model.modules():
        if isinstance(module, _UNWRITTEN_NOISE):
            module.eval()
            # Exporters set the mode of the whole model.
            module.train = types.MethodType(lambda self, mode=True: self, module)  # type: ignore[method-assign]


def _require_packages(exporter: str) -> None:
    """PyTorch's exporters need packages of their own from version 2 on."""
    needed = ["onnx", "onnxscript"] if exporter == "dynamo" else [] if torch.__version__.startswith("1.") else ["onnx"]
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"PyTorch {torch.__version__} exports with {' and '.join(needed)}, and {missing[0]} is not installed: pip install {' '.join(missing)}")


def _inputs(model: nn.Module, example: Example) -> Tuple[List[str], List[Tensor], bool]:
    """Names and tensors of the inputs, and whether they are given by name."""
    if isinstance(example, Mapping):
        names, tensors = list(example), list(example.values())
    else:
        tensors = [example] if isinstance(example, Tensor) else list(example)
        names = list(inspect.signature(model.forward).parameters)[: len(tensors)]
        if len(names) < len(tensors) or "args" in names:
            names = [f"input{k}" for k in range(len(tensors))] if len(tensors) > 1 else ["input"]
    if any(not isinstance(each, Tensor) or each.dim() == 0 or each.shape[0] < 2 for each in tensors):
        raise ValueError("expected an example of tensors with two or more examples along their first axis")
    tensors = [each.detach().cpu() for each in tensors]
    return names, [each.float() if each.is_floating_point() else each for each in tensors], isinstance(example, Mapping)


def _single_output(model: nn.Module, output: "int | str") -> None:
    """Makes `forward` return one tensor, in place so that no name of a parameter changes."""
    inner = model.forward

    def forward(_: nn.Module, *args: Any, **kwargs: Any) -> Tensor:
        result = inner(*args, **kwargs)
        if isinstance(result, Tensor):
            return result
        if not isinstance(output, str):
            result = list(result.values()) if isinstance(result, Mapping) else result
        return result[output]

    # Exporters read the arguments' names off the signature.
    forward.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *inspect.signature(inner).parameters.values()]
    )
    model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]


def _by_script(model: nn.Module, args: Tuple[Any, ...], path: str, arguments: Dict[str, Any]) -> None:
    takes_choice = "dynamo" in inspect.signature(torch.onnx.export).parameters
    axes = {name: {0: "batch"} for name in [*arguments["input_names"], *arguments["output_names"]]}
    torch.onnx.export(
        model,
        args,
        path,
        training=torch.onnx.TrainingMode.TRAINING,
        dynamic_axes=axes,
        **arguments,
        **({"dynamo": False} if takes_choice else {}),
    )


def _by_dynamo(model: nn.Module, args: Tuple[Any, ...], kwargs: Dict[str, Any], path: str, arguments: Dict[str, Any]) -> None:
    if "dynamo" not in inspect.signature(torch.onnx.export).parameters:
        raise RuntimeError(f"PyTorch {torch.__version__} has no newer exporter; use exporter='script'")
    batch: Any = torch.export.Dim("batch", min=2)
    own = {key: value for key, value in arguments.items() if key in ("input_names", "output_names")}
    shapes: Any = {name: {0: batch} for name in kwargs} if kwargs else tuple({0: batch} for _ in args)
    if not kwargs:
        names = list(inspect.signature(model.forward).parameters)[: len(args)]
        shapes = dict(zip(names, shapes)) if len(names) == len(args) else shapes
    # The optimiser of the exporter folds and renames constants; parameters are to stay as they are.
    torch.onnx.export(
        model, args, path, kwargs=kwargs or None, dynamo=True, dynamic_shapes=shapes, external_data=False, optimize=False, **own
    )
