"""Which parameters of a model are recorded, and under which names."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import Dict, Iterable, Iterator, List, Set, Tuple

import numpy as np
import torch
from torch import Tensor, nn

_WRAPPERS = {"module", "_orig_mod", "_forward_module"}


class RecorderWarning(UserWarning):
    """Something about a recording that its user should know."""


def warn(text: str) -> None:
    """Warns the user of a recording."""
    warnings.warn(text, RecorderWarning, stacklevel=2)


def type_of(parameter: Tensor) -> str:
    """The name of a parameter's element type, such as float32."""
    return str(parameter.dtype).replace("torch.", "")


def numbers_of(parameter: Tensor) -> np.ndarray:
    """A parameter's numbers as float32, on the host."""
    return parameter.detach().float().cpu().numpy()


def unwrapped(name: str) -> str:
    """A parameter's name without the names of wrappers."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


@contextmanager
def only_read(parameters: "Iterable[Tuple[str, Tensor]]") -> Iterator[None]:
    """For a forward pass, which gives the loss at the parameters as they are. Raises ValueError where it writes into one of them."""
    versions = [(name, each, each._version) for name, each in parameters]
    yield
    written = [name for name, each, version in versions if each._version != version]
    if written:
        raise ValueError(
            f"the forward pass writes into {', '.join(written)} (an Embedding with max_norm, or clipping?); expected a loss of the parameters as they are: "
            "write after optimizer.step() instead, where recorded rows show it, or compute with a changed copy in forward (a parametrization)"
        )


def recorded_parameters(
    model: nn.Module, optimizer: torch.optim.Optimizer, frozen: bool
) -> "Tuple[List[Tuple[str, Tensor]], Dict[str, str], List[Tuple[str, Tensor]]]":
    """Parameters that are recorded, other names of tied ones with the name they are recorded under, and parameters held still."""
    optimised: Set[int] = {id(each) for group in optimizer.param_groups for each in group["params"]}
    named = [(unwrapped(name), parameter) for name, parameter in model.named_parameters()]
    for name, parameter in named:
        if parameter.is_complex() or not parameter.is_floating_point() or hasattr(parameter, "placements"):
            raise TypeError(f"parameter {name} is {type_of(parameter)}, or sharded; expected whole tensors of real floats")
        if parameter.is_meta:
            raise TypeError(f"parameter {name} has no numbers (device meta)")
    recorded = [(name, each) for name, each in named if frozen or each.requires_grad or id(each) in optimised]
    known = {id(each) for _, each in recorded}
    if not known & optimised:
        raise ValueError("the optimiser has none of the model's parameters; give the Recorder the model that it trains")
    stray = len(optimised - {id(each) for _, each in named})
    if stray > 0:
        warn(f"{stray} parameters of the optimiser are not the model's and are not recorded")
    if any(each.dtype == torch.float64 for _, each in recorded):
        warn("parameters of float64 are recorded as float32")
    still = [(name, each) for name, each in named if id(each) not in known]
    return recorded, _ties(model, {id(each): name for name, each in recorded}), still


def warn_of_others(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Warns of parameters that another optimiser may train, whose first step may come before the first row."""
    optimised = {id(each) for group in optimizer.param_groups for each in group["params"]}
    others = [unwrapped(name) for name, each in model.named_parameters() if each.requires_grad and id(each) not in optimised]
    if others:
        warn(
            f"{others[0]} requires a gradient and is none of the optimiser's parameters ({len(others)} such): what else moves it before the "
            "first step of this optimiser is in no row; call recorder.flush() before training, or requires_grad_(False) where nothing does"
        )


def _ties(model: nn.Module, names: Dict[int, str]) -> Dict[str, str]:
    ties: Dict[str, str] = {}
    for prefix, module in model.named_modules(remove_duplicate=False):
        for own, parameter in module._parameters.items():
            name = unwrapped(f"{prefix}.{own}" if prefix else own)
            first = names.get(id(parameter))
            if parameter is not None and first is not None and first != name:
                ties[name] = first
    return ties
