"""What an objective is divided by: the part of each example or token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

Labels = Union[Tensor, np.ndarray, Sequence[Any]]
Parts = Union[Labels, Mapping[str, Labels]]


@dataclass
class Division:
    """Labels of an objective by one thing: the part of each number of the data."""

    by: str
    names: List[str]
    index: Tensor
    """[N] or [N, T], int64"""


def divisions_of(parts: Optional[Parts], examples: int, device: torch.device) -> List[Division]:
    """Labels by what they are parts by. Raises ValueError where there is not one for each example."""
    if parts is None:
        return []
    named = parts if isinstance(parts, Mapping) else {"part": parts}
    divisions = []
    for by, labels in named.items():
        array = labels.cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
        if len(array) != examples:
            raise ValueError(f"{len(array)} labels by {by} for {examples} examples; expected one for each")
        names, index = np.unique(array, return_inverse=True)
        divisions.append(Division(by, [str(each) for each in names], torch.from_numpy(index.reshape(array.shape)).to(device)))
    return divisions


def described(division: Division) -> List[Dict[str, Any]]:
    """Parts of a division; a part by token counts the examples in which it occurs."""
    rows = division.index.reshape(len(division.index), -1)
    return [
        {"name": name, "by": division.by, "examples": int((rows == k).any(1).sum())} for k, name in enumerate(division.names)
    ]


def masks_of(divisions: List[Division], span: slice, numbers: Tensor) -> "Iterator[Tuple[int, Tensor]]":
    """For each part of all divisions its place and which of the numbers, flattened, are its own."""
    place = 0
    for division in divisions:
        index = division.index[span]
        if index.shape != numbers.shape:
            index = index.reshape(index.shape + (1,) * (numbers.dim() - index.dim())).expand(numbers.shape)
        flat = index.flatten()
        for k in range(len(division.names)):
            yield place + k, flat == k
        place += len(division.names)
