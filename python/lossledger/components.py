"""What each step of an optimiser was made of, from the optimiser's own state after the step."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from .rows import Row, flat

NAMES = ["gradient", "momentum", "weightDecay"]
"""Components of an update, with the sign of the motion: this step's gradient, older gradients, and this step's weight decay."""

State = Dict[str, Any]
Split = Callable[[Tensor, Tensor, Dict[str, Any], State, Callable[[], Tensor], Sequence[Tensor]], None]
"""From the gradient, old numbers, settings, the optimiser's state and new numbers of one parameter, or of several end to end, to its components."""


@functools.lru_cache(maxsize=None)
def _adds_decay(kind: Any) -> bool:
    """Whether many-tensor steps of an optimiser add L2 to the gradients themselves: of PyTorch 1 some do (Adam's) and some do not, so one is tried."""
    if int(torch.__version__.split(".")[0]) >= 2:
        return False
    tried = torch.ones(1, requires_grad=True)
    tried.grad = torch.zeros(1)
    kind([tried], lr=0.0, weight_decay=1.0, foreach=True).step()
    return bool(tried.grad != 0)


def splitter_of(optimizer: torch.optim.Optimizer) -> Optional[Split]:
    """How the steps of an optimiser are split; None for one whose steps are not known."""
    kind = type(optimizer)
    if kind is torch.optim.SGD:
        return _sgd
    if kind in (torch.optim.Adam, torch.optim.AdamW):
        return _adamw if kind is torch.optim.AdamW else _adam
    return None


class StepSplitter:
    """
    Writes the components of steps of an optimiser. `together`: in few operations over all parameters with the same settings, end to end,
    as is fast on a GPU; otherwise parameter by parameter, which copies less.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, split: Split, parameters: List[Tensor], together: bool):
        self.optimizer, self._split, self._together = optimizer, split, together
        self.parameters = parameters
        self._places = {parameter: place for place, parameter in enumerate(parameters)}
        self._bundles: List[_Bundle] = []
        self._arranged: Any = None

    def split(self, before: Row, target: Row) -> None:
        """Of the step just taken, of which `before` has the parameters as they were, into the components of `target`."""
        moved = self._moved()
        if not self._together:
            for place, group in moved:
                views = target.views[place]
                self._split_one(group, [place], before.views[place][0], views[1:])
            for place in set(range(len(self.parameters))) - {place for place, _ in moved}:
                for part in target.views[place][1:]:
                    part.zero_()
            return
        self._arrange(moved)
        if len(self._bundles) == 1 and len(moved) == len(self.parameters):
            self._split_one(self._bundles[0].group, self._bundles[0].places, before.theta, target.parts)
            return
        self._split_bundles(before, target)

    def _moved(self) -> "List[Tuple[int, Dict[str, Any]]]":
        """Places and groups of the parameters that took part, in the order of the places."""
        found = [
            (self._places[parameter], group)
            for group in self.optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None and parameter in self._places
        ]
        return sorted(found, key=lambda each: each[0])

    def _arrange(self, moved: "List[Tuple[int, Dict[str, Any]]]") -> None:
        """Bundles parameters of one group and age; ages are read, which waits for a GPU, only where other parameters take part than before."""
        now = ([place for place, _ in moved], id(self.optimizer.state))
        if now == self._arranged:
            return
        bundles: Dict[Any, _Bundle] = {}
        for place, group in moved:
            state = self.optimizer.state.get(self.parameters[place], {})
            key = (id(group), _number(state.get("step", 0)), state.get("momentum_buffer") is None)
            bundles.setdefault(key, _Bundle(group, [])).places.append(place)
        self._bundles, self._arranged = list(bundles.values()), now

    def _split_bundles(self, before: Row, target: Row) -> None:
        """Each bundle by itself, and then what all parameters got, in their order."""
        nothing = torch.zeros(max(each.numel() for each in self.parameters), dtype=torch.float32, device=target.parts.device)
        pieces = [[nothing[: each.numel()] for each in self.parameters] for _ in NAMES]
        for bundle in self._bundles:
            sizes = [self.parameters[place].numel() for place in bundle.places]
            out = torch.empty((len(NAMES), sum(sizes)), dtype=torch.float32, device=target.parts.device)
            self._split_one(bundle.group, bundle.places, _joined([before.views[place][0] for place in bundle.places]), out)
            for own, part in zip(pieces, out):
                for place, piece in zip(bundle.places, part.split(sizes)):
                    own[place] = piece
        for own, part in zip(pieces, target.parts):
            torch.cat(own, out=part)

    def _split_one(self, group: Dict[str, Any], places: List[int], old: Tensor, out: Sequence[Tensor]) -> None:
        """One bundle: its old numbers and components end to end, or of one parameter alone in its shape."""
        parameters = [self.parameters[place] for place in places]
        joined = _joined if self._together else _only
        gradient = joined([_dense(parameter) for parameter in parameters])
        if gradient.dtype != old.dtype or gradient.device != old.device:
            gradient = gradient.to(old.device, old.dtype)
        decay = group["weight_decay"]
        if decay != 0 and group.get("foreach") and not group.get("maximize") and _adds_decay(type(self.optimizer)):
            gradient = gradient - decay * old
        states = [self.optimizer.state.get(parameter, {}) for parameter in parameters]
        state = {
            key: joined([each[key] for each in states]) if key in _BY_NUMBER and value is not None else value
            for key, value in states[0].items()
        }
        self._split(gradient, old, group, state, lambda: joined(list(parameters)), out)


@dataclass
class _Bundle:
    """Parameters with the same settings."""

    group: Dict[str, Any]
    places: List[int]


_BY_NUMBER = {"momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}
"""What an optimiser keeps for each number of a parameter."""


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([flat(tensor) for tensor in tensors])


def _only(tensors: Sequence[Tensor]) -> Tensor:
    return tensors[0]


def _dense(parameter: Tensor) -> Tensor:
    gradient = parameter.grad.detach()  # type: ignore[union-attr]
    return gradient.to_dense() if gradient.is_sparse else gradient


def _number(value: Any) -> float:
    return float(value.item()) if isinstance(value, Tensor) else float(value)


def _like(value: Tensor, other: Tensor) -> Tensor:
    return value.detach().to(other.device, other.dtype)


def _bias(beta: float, step: Any) -> Any:
    """1 − βᵗ; where a GPU counts the steps, as a number there, so that nobody waits for it."""
    if isinstance(step, Tensor) and step.device.type != "cpu":
        return 1.0 - beta ** step.detach().reshape(()).double()
    return 1.0 - beta ** _number(step)


def _sgd(gradient: Tensor, old: Tensor, group: Dict[str, Any], state: Dict[str, Any], new: Callable[[], Tensor], out: Sequence[Tensor]) -> None:
    """d = g + λθ; b' = μ b + (1 − τ) d, in the first step b' = d; Δθ = −lr b', or with Nesterov −lr (d + μ b')."""
    lr, mu, decay = _number(group["lr"]), _number(group["momentum"]), _number(group["weight_decay"])
    sign = -1.0 if group.get("maximize") else 1.0
    own, memory, weight = out
    buffer = state.get("momentum_buffer") if mu != 0 else None
    if buffer is None:
        torch.mul(gradient, -lr * sign, out=own)
        torch.mul(old, -lr * decay, out=weight)
        memory.zero_()
        return
    buffer = _like(buffer, old)
    nesterov = bool(group["nesterov"])
    if nesterov and decay == 0:
        gradient = _unmodified(gradient, old, lr, mu, buffer, new()) if sign > 0 else gradient
    intake = 1.0 - _number(group["dampening"])
    if intake != 1.0 and torch.equal(buffer, gradient * sign if decay == 0 else (gradient * sign).add_(old, alpha=decay)):
        intake = 1.0
    share = (1.0 + mu * intake) if nesterov else intake
    torch.mul(gradient, -lr * sign * share, out=own)
    torch.mul(old, -lr * decay * share, out=weight)
    # What the buffer holds of older steps, scaled as it enters: b' − intake · d.
    scale = -lr * (mu if nesterov else 1.0)
    torch.mul(buffer, scale, out=memory)
    memory.add_(gradient, alpha=-scale * intake * sign)
    if decay != 0:
        memory.add_(old, alpha=-scale * intake * decay)


def _unmodified(gradient: Tensor, old: Tensor, lr: float, mu: float, buffer: Tensor, new: Tensor) -> Tensor:
    """The gradient as it was: PyTorch's many-tensor form of Nesterov's step adds μ b' to the gradients themselves. The motion tells."""
    motion = _like(new, old) - old
    modified = (motion + lr * gradient).norm()
    plain = (motion + lr * (gradient + mu * buffer)).norm()
    return gradient - mu * buffer if bool(modified < plain) else gradient


def _adam(gradient: Tensor, old: Tensor, group: Dict[str, Any], state: Dict[str, Any], _: Callable[[], Tensor], out: Sequence[Tensor]) -> None:
    _adam_step(gradient, old, group, state, out, bool(group.get("decoupled_weight_decay", False)))


def _adamw(gradient: Tensor, old: Tensor, group: Dict[str, Any], state: Dict[str, Any], _: Callable[[], Tensor], out: Sequence[Tensor]) -> None:
    _adam_step(gradient, old, group, state, out, True)


def _adam_step(
    gradient: Tensor, old: Tensor, group: Dict[str, Any], state: Dict[str, Any], out: Sequence[Tensor], decoupled: bool
) -> None:
    """m' = β₁ m + (1 − β₁) d; Δθ = −lr / (1 − β₁ᵗ) · m' / (√v' / √(1 − β₂ᵗ) + ε), and of AdamW −lr λ θ besides."""
    lr, decay, epsilon = _number(group["lr"]), _number(group["weight_decay"]), _number(group["eps"])
    beta1, beta2 = (_number(beta) for beta in group["betas"])
    first, second = _bias(beta1, state["step"]), _bias(beta2, state["step"])
    sign = -1.0 if group.get("maximize") else 1.0
    own, memory, weight = out
    square = state["max_exp_avg_sq"] if group.get("amsgrad") else state["exp_avg_sq"]
    # The third part serves as the divisor until its own numbers are due.
    divisor = weight
    torch.sqrt(_like(square, old), out=divisor)
    divisor.div_(second**0.5).add_(epsilon)
    rate = -lr / first
    torch.div(gradient, divisor, out=own)
    own.mul_(rate * (1.0 - beta1) * sign)
    torch.div(_like(state["exp_avg"], old), divisor, out=memory)
    memory.mul_(rate).sub_(own)
    if decoupled or decay == 0:
        # Decoupled decay takes place before the gradient's part, on the old θ.
        torch.mul(old, -lr * decay, out=weight)
        return
    torch.div(old, divisor, out=weight)
    weight.mul_(rate * (1.0 - beta1) * decay)
    memory.sub_(weight)
