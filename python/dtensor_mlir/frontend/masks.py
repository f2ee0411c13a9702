"""What a mask of attention says.

A mask that compares the numbers of the keys with one number of the device, as
`torch.arange(capacity) <= position`, is a diagonal: attention need not read the
keys behind it.
"""

from __future__ import annotations

import operator

import torch
from torch import fx

aten = torch.ops.aten

#: How a comparison is spelled: (keys on the left, what is taken off the number)
_COMPARISONS = {
    operator.le: (True, 0), aten.le.Tensor: (True, 0), torch.le: (True, 0),
    operator.lt: (True, 1), aten.lt.Tensor: (True, 1), torch.lt: (True, 1),
    operator.ge: (False, 0), aten.ge.Tensor: (False, 0), torch.ge: (False, 0),
    operator.gt: (False, 1), aten.gt.Tensor: (False, 1), torch.gt: (False, 1),
}
_VIEWS = {
    "unsqueeze", "view", "reshape", "expand", operator.getitem,
    aten.unsqueeze.default, aten.view.default, aten.reshape.default,
    aten.expand.default, aten.slice.Tensor, aten.alias.default,
}
_RANGES = {torch.arange, aten.arange.default}


def _shape(node):
    value = node.meta.get("example_value", node.meta.get("val"))
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _is_row(node) -> bool:
    """Whether all dimensions but the last are 1."""
    shape = _shape(node) if isinstance(node, fx.Node) else None
    return bool(shape) and all(isinstance(s, int) and s == 1
                               for s in shape[:-1])


def _skip_views(node):
    """What a row was before its dimensions of 1 came."""
    while node.target in _VIEWS and _is_row(node) and _is_row(node.args[0]) \
            and str(_shape(node)[-1]) == str(_shape(node.args[0])[-1]):
        node = node.args[0]
    return node


def _is_range(node) -> bool:
    """Whether it is 0, 1, 2, ..."""
    return node.target in _RANGES and len(node.args) == 1 and \
        not {"start", "step", "out"} & set(node.kwargs)


def find_number(mask):
    """(node, what is taken off it): key j is seen where j is at most that
    number; None of any other mask."""
    if not _is_row(mask):
        return None
    mask = _skip_views(mask)
    if mask.target not in _COMPARISONS or len(mask.args) != 2:
        return None
    is_left, less = _COMPARISONS[mask.target]
    keys, number = mask.args if is_left else mask.args[::-1]
    if not _is_row(keys) or not _is_range(_skip_views(keys)) or \
            not _is_row(number) or _shape(number)[-1] != 1:
        return None
    return number, less
