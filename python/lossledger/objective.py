"""An objective process: losses and gradients of a PyTorch model, by the protocol of docs/OBJECTIVES.md (`lca measure --process`)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from .parameters import numbers_of, only_read, unwrapped
from .parts import Division, Parts, described, divisions_of, masks_of
from .protocol import answer_all, channel
from .recording import digest

Data = Union[Tensor, Sequence[Tensor], Mapping[str, Tensor]]
Loss = Callable[..., Any]
"""`loss(model, *tensors)`, or for data by name `loss(model, **tensors)`: numbers [n, …], n the examples of the batch; or a pair of them and of weights of the same shape."""


def serve(
    model: nn.Module,
    loss: Loss,
    data: Data,
    parts: Optional[Parts] = None,
    *,
    others: Optional[Mapping[str, Data]] = None,
    device: "str | torch.device | None" = None,
    dtype: torch.dtype = torch.float32,
    batch: int = 1000,
    batch_statistics: bool = False,
    deterministic: bool = True,
    name: Optional[str] = None,
    loss_name: Optional[str] = None,
    unit: str = "nats",
) -> None:
    """
    Answers θ with loss and gradient until standard input ends.

    - `loss(model, *tensors)` gives a number for each example [n], or for each token [n, T], or a pair of such numbers and their
      weights. The objective is Σ weight · number / Σ weight over all the data; without weights each number counts once.
    - `data`: tensors whose first axis is the examples; `others` are further objectives by name, such as `validation`.
    - `parts`: a label for each example [N] (or as many as the loss has numbers, [N, T]), or several such by what they are parts by:
      `{"class": y}`. Only the objective `train` is divided. Each part costs a backward pass of the batches in which it has examples.
    - `device`, `dtype`: where and in which precision (torch.float32 or torch.float64) it is computed. θ is float32 in any case.
      With `--processes N`, LOSSLEDGER_PROCESS is 0 … N − 1, by which each may take a GPU of its own.
    - `batch`: examples evaluated at once; sums over batches are float64, in the order of the data.
    - `batch_statistics`: batch normalisation by the statistics of each batch, as in training; otherwise by its running ones, which
      stay as the model has them. Everything else is in evaluation mode.
    - `deterministic`: uses deterministic algorithms alone (an operator without one raises), and states so. TF32 is off.
    - Parameters with requires_grad=False are not part of θ. A loss that writes into those that are (an Embedding with max_norm) raises ValueError.

    What the script prints goes to standard error while it serves.
    """
    with channel() as (source, sink):
        objective = TorchObjective(
            model, loss, data, parts, others=others, device=device, dtype=dtype, batch=batch,
            batch_statistics=batch_statistics, deterministic=deterministic, name=name, loss_name=loss_name, unit=unit,
        )  # fmt: skip
        answer_all(objective, source, sink)


@dataclass
class Objective:
    """Examples of one objective and how they are divided."""

    name: str
    data: Data
    examples: int
    divisions: List[Division] = field(default_factory=list)


class TorchObjective:
    """Losses and gradients of a PyTorch model by objective and part; use it without pipes to try a `loss` out."""

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        data: Data,
        parts: Optional[Parts] = None,
        *,
        others: Optional[Mapping[str, Data]] = None,
        device: "str | torch.device | None" = None,
        dtype: torch.dtype = torch.float32,
        batch: int = 1000,
        batch_statistics: bool = False,
        deterministic: bool = True,
        name: Optional[str] = None,
        loss_name: Optional[str] = None,
        unit: str = "nats",
    ):
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype is {dtype}; expected torch.float32 or torch.float64")
        if batch < 1:
            raise ValueError(f"batch is {batch}; expected a number of examples from 1 on")
        _be_exact(deterministic)
        first = next(model.parameters())
        self.device = torch.device(device) if device is not None else first.device
        self.dtype, self.batch, self.deterministic = dtype, batch, deterministic
        self.model, self.loss = model.to(self.device, dtype), loss
        self.warnings = _set_modes(model, batch_statistics)
        named = [(unwrapped(own), each) for own, each in model.named_parameters()]
        self.parameters = [(own, each) for own, each in named if each.requires_grad]
        self.frozen = [(own, each) for own, each in named if not each.requires_grad]
        self.size = sum(each.numel() for _, each in self.parameters)
        self.objectives = [Objective("train", self._placed(data), _count(data), divisions_of(parts, _count(data), self.device))]
        for own, more in (others or {}).items():
            self.objectives.append(Objective(own, self._placed(more), _count(more)))
        self.names = {"name": name or type(model).__name__, "loss": loss_name or getattr(loss, "__name__", "loss"), "unit": unit}

    def statement(self) -> Dict[str, Any]:
        """What the process says of itself."""
        axes = _neuron_axes(self.model)
        parameters = [{"name": name, "shape": list(each.shape), "neuronAxis": axes.get(id(each))} for name, each in self.parameters]
        objectives = [
            {"name": each.name, "examples": each.examples, "parts": [part for division in each.divisions for part in described(division)]}
            for each in self.objectives
        ]
        frozen = [{"name": name, "sha256": digest(numbers_of(each))} for name, each in self.frozen]
        return {
            "kind": "statement",
            **self.names,
            "precision": "float64" if self.dtype == torch.float64 else "float32",
            "deterministic": self.deterministic,
            "parameters": parameters,
            "objectives": objectives,
            **({"frozen": frozen} if frozen else {}),
            **({"warnings": self.warnings} if self.warnings else {}),
        }

    def load(self, theta: np.ndarray) -> None:
        """Sets the parameters to θ [K]."""
        flat = torch.from_numpy(np.array(theta)).to(self.device, self.dtype)
        at = 0
        with torch.no_grad():
            for _, parameter in self.parameters:
                parameter.copy_(flat[at : at + parameter.numel()].view(parameter.shape))
                at += parameter.numel()

    def evaluate(self, want_gradient: bool) -> "Tuple[np.ndarray, np.ndarray]":
        """At the parameters as they are: losses [R] and gradients [R, K] (empty where not wanted) of each objective's whole, then its parts."""
        results = [self._objective(each, want_gradient) for each in self.objectives]
        return np.concatenate([losses for losses, _ in results]), np.concatenate([gradients for _, gradients in results])

    def _objective(self, objective: Objective, want_gradient: bool) -> "Tuple[np.ndarray, np.ndarray]":
        divisions = objective.divisions
        parts = sum(len(division.names) for division in divisions)
        losses = torch.zeros(1 + parts, dtype=torch.float64, device=self.device)
        width = self.size if want_gradient else 0
        gradients = torch.zeros((1 + parts, width), dtype=torch.float64, device=self.device)
        weight_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        for span, tensors in self._batches(objective):
            with torch.set_grad_enabled(want_gradient), only_read(self.parameters):
                numbers, weights = _numbers(self._call(tensors), span.stop - span.start)
                sums = (numbers * weights).flatten()
            weight_sum += weights.sum(dtype=torch.float64)
            losses[0] += sums.detach().sum(dtype=torch.float64)
            rows = [(1 + k, mask) for k, mask in masks_of(divisions, span, numbers)]
            for row, mask in rows:
                losses[row] += sums.detach().masked_select(mask).sum(dtype=torch.float64)
            if want_gradient:
                self._add_gradients(gradients, sums, rows, divisions)
        if divisions and want_gradient:
            # The whole is the sum over the parts by the first thing.
            gradients[0] = gradients[1 : 1 + len(divisions[0].names)].sum(0)
        divisor = weight_sum.item()
        kind = np.float64 if self.dtype == torch.float64 else np.float32
        return (losses / divisor).cpu().numpy(), (gradients / divisor).cpu().numpy().astype(kind)

    def _add_gradients(self, gradients: Tensor, sums: Tensor, rows: "List[Tuple[int, Tensor]]", divisions: List[Division]) -> None:
        masked = rows if divisions else [(0, None)]
        masked = [(row, mask) for row, mask in masked if mask is None or bool(mask.any())]
        leaves = [parameter for _, parameter in self.parameters]
        for k, (row, mask) in enumerate(masked):
            chosen = sums.sum() if mask is None else sums.masked_select(mask).sum()
            own = torch.autograd.grad(chosen, leaves, retain_graph=k + 1 < len(masked), allow_unused=True)
            at = 0
            for leaf, gradient in zip(leaves, own):
                if gradient is not None:
                    gradients[row, at : at + leaf.numel()] += gradient.reshape(-1)
                at += leaf.numel()

    def _batches(self, objective: Objective) -> "Iterator[Tuple[slice, Any]]":
        for start in range(0, objective.examples, self.batch):
            span = slice(start, min(start + self.batch, objective.examples))
            data = objective.data
            yield span, {key: each[span] for key, each in data.items()} if isinstance(data, Mapping) else [each[span] for each in data]

    def _call(self, tensors: Any) -> Any:
        return self.loss(self.model, **tensors) if isinstance(tensors, Mapping) else self.loss(self.model, *tensors)

    def _placed(self, data: Data) -> Data:
        def placed(each: Any) -> Tensor:
            tensor = torch.as_tensor(each)
            return tensor.to(self.device, self.dtype) if tensor.is_floating_point() else tensor.to(self.device)

        if isinstance(data, Mapping):
            return {key: placed(each) for key, each in data.items()}
        return [placed(each) for each in ([data] if isinstance(data, Tensor) else data)]


def _be_exact(deterministic: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = deterministic
    if deterministic:
        # Read by cuBLAS when it starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)


def _set_modes(model: nn.Module, batch_statistics: bool) -> List[str]:
    """Evaluation mode but for statistics of batches; what is to be warned of."""
    model.eval()
    normalisations = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for module in normalisations:
        if batch_statistics:
            module.train()
            # The running statistics stay what they are.
            module.momentum = 0.0
    kept = [module for module in normalisations if module.running_mean is not None and module.running_var is not None]
    if not kept or batch_statistics:
        return []
    if all(bool((module.running_mean == 0).all() and (module.running_var == 1).all()) for module in kept):
        which = "of a model that was never trained (mean 0, variance 1): load those of a checkpoint, or give serve batch_statistics=True"
    else:
        which = "that the program loaded, at every θ; batch_statistics=True takes those of each batch, as training does"
    return [f"batch normalisation uses running statistics {which}"]


def _count(data: Data) -> int:
    tensors = list(data.values()) if isinstance(data, Mapping) else [data] if isinstance(data, Tensor) else list(data)
    counts = {len(each) for each in tensors}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"data with {sorted(counts)} examples; expected tensors with the same number along their first axis")
    return counts.pop()


def _numbers(result: Any, examples: int) -> "Tuple[Tensor, Tensor]":
    """Losses and their weights [n, …]."""
    numbers, weights = result if isinstance(result, (tuple, list)) else (result, None)
    if not isinstance(numbers, Tensor) or numbers.dim() == 0 or numbers.shape[0] != examples:
        shape = list(numbers.shape) if isinstance(numbers, Tensor) else type(numbers).__name__
        raise ValueError(f"a loss of shape {shape} for {examples} examples; expected one number for each (reduction='none')")
    return numbers, torch.ones_like(numbers) if weights is None else weights.detach().to(numbers.dtype)


def _neuron_axes(model: nn.Module) -> Dict[int, int]:
    """The axis of output neurons or channels of the parameters of known layers, by their identity."""
    axes: Dict[int, int] = {}
    for module in model.modules():
        turned = isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
        if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)):
            for own, parameter in module._parameters.items():
                if parameter is not None and parameter.dim() > 0 and not (parameter.dim() > 1 and own == "bias"):
                    axes[id(parameter)] = 1 if turned and own == "weight" else 0
    return axes
