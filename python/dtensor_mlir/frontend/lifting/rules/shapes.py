"""Other shapes of the same elements, and parts of them."""

from __future__ import annotations

from ..pieces import (Dim, Factor, is_cut, is_floor_of, is_number, is_one,
                      is_same, quotient, uncut, whole_size)
from .common import (Found, Shape, aten, broadcast, check_whole, dims_of,
                     handles, refuse)


def _regroup(dims, shape) -> list[Dim]:
    """The same elements in dimensions of other sizes, of the piece."""
    left = [settle(f) for dim in dims for f in dim]
    return [_take_one(left) if is_one(size) else _take(left, size)
            for size in shape]


def settle(factor: Factor) -> Factor:
    """A size of the piece that dynamo took for a number makes that of the whole
    a number."""
    if not factor.axes or not is_number(factor.local):
        return factor
    return Factor(int(factor.local), int(factor.whole), factor.axes)


def _is_unit(factor: Factor) -> bool:
    return not factor.axes and is_one(factor.local)


def _take_one(left: list[Factor]) -> Dim:
    """A dimension of one element: that was one, or is the only one that the
    piece has of several, as one of the heads before what each of them has."""
    if not left or not left[0].axes:
        return (left.pop(0),) if left and _is_unit(left[0]) else ()
    count = quotient(left[0].whole, left[0].local)
    if count is None:
        return ()
    factor = left.pop(0)
    left.insert(0, Factor(factor.local, factor.local))
    return (Factor(1, count, factor.axes),)


def _take(left: list[Factor], size) -> Dim:
    """The next factors, of `size` elements."""
    dim: list[Factor] = []
    while not is_one(size):
        if not left:
            refuse("a view of another number of elements")
        factor = left.pop(0)
        if _is_unit(factor):
            continue
        rest = quotient(size, factor.local)
        if rest is None:
            factor, inner = _split_factor(factor, size)
            left.insert(0, inner)
            rest = 1
        dim.append(factor)
        size = rest
    return tuple(dim)


def _split_factor(factor: Factor, size) -> tuple[Factor, Factor]:
    """`size` elements of the piece, and what is inside of each."""
    inner, whole = quotient(factor.local, size), None
    if inner is not None:
        whole = quotient(factor.whole, inner)
    elif (inner := is_floor_of(size, factor.local)) is not None:
        whole = factor.whole // inner  # a call checks that nothing is left
    if whole is None:
        refuse(f"a view of {factor.local} elements of the piece, which are "
               f"{factor.whole} in the whole, as {size}")
    return Factor(size, whole, factor.axes), Factor(inner, inner)


@handles(aten.view.default, aten._unsafe_view.default, aten.reshape.default)
def _view(call):
    x = call.args[0]
    dims = _regroup(x.dims, call.made.shape)
    if sum(map(len, map(_axes, dims))) != sum(map(len, map(_axes, x.dims))):
        refuse("a view that drops a dimension that is cut")
    return Found((x, [whole_size(d) for d in dims]), {}, [dims],
                 func=aten.reshape.default)


def _axes(dim: Dim) -> list:
    return [f for f in dim if f.axes]


@handles(aten.expand.default)
def _expand(call):
    x, shape = call.args[0], call.made.shape
    dims = [uncut(s) for s in shape]
    first = len(shape) - len(x.dims)
    for d, dim in enumerate(x.dims, first):
        if not is_cut(dim):
            continue
        if not is_same(x.local.shape[d - first], shape[d]):
            refuse(f"dimension {d} is cut, and expanded")
        dims[d] = dim
    return Found((x, [whole_size(d) for d in dims]), {}, [dims])


@handles(aten.permute.default)
def _permute(call):
    x, order = call.args
    return Found(call.args, {}, [[x.dims[d] for d in order]])


@handles(aten.t.default, aten.transpose.int)
def _transpose(call):
    dims = list(call.args[0].dims)
    a, b = call.args[1:] or (0, 1)
    if len(dims) > 1:
        dims[a], dims[b] = dims[b], dims[a]
    return Found(call.args, {}, [dims])


@handles(aten.unsqueeze.default)
def _unsqueeze(call):
    x, dim = call.args
    dims = list(x.dims)
    dims.insert(dim % (len(dims) + 1), uncut(1))
    return Found(call.args, {}, [dims])


@handles(aten.squeeze.dim, aten.squeeze.dims)
def _squeeze(call):
    x, given = call.args
    given = {d % len(x.dims) for d in
             (given if isinstance(given, (list, tuple)) else [given])}
    dropped = {d for d in given if is_one(x.local.shape[d])}
    for d in dropped:
        check_whole(x, d)
    return Found(call.args, {}, [[v for d, v in enumerate(x.dims)
                                  if d not in dropped]])


#===- Parts ----------------------------------------------------------------===#

@handles(aten.select.int)
def _select(call):
    x, dim = call.args[0], call.args[1] % len(call.args[0].dims)
    check_whole(x, dim)
    return Found(call.args, {}, [[*x.dims[:dim], *x.dims[dim + 1:]]])


@handles(aten.slice.Tensor)
def _slice(call):
    x, dim = call.args[0], call.argument(1, "dim", 0)
    dim %= len(x.dims)
    dims = list(x.dims)
    if is_cut(dims[dim]) and is_same(x.local.shape[dim], call.made.shape[dim]):
        return Found((x, dim), {}, [dims])
    check_whole(x, dim)
    dims[dim] = uncut(call.made.shape[dim])
    return Found(call.args, call.kwargs, [dims])


@handles(aten.split.Tensor, aten.split_with_sizes.default)
def _split(call):
    x, dim = call.args[0], call.argument(2, "dim", 0)
    check_whole(x, dim)
    found = []
    for part in call.made:
        found.append(list(x.dims))
        found[-1][dim] = uncut(part.shape[dim])
    return Found(call.args, call.kwargs, found)


@handles(aten.unbind.int)
def _unbind(call):
    x, dim = call.args[0], call.argument(1, "dim", 0) % len(call.args[0].dims)
    check_whole(x, dim)
    return Found(call.args, call.kwargs,
                 [[*x.dims[:dim], *x.dims[dim + 1:]] for _ in call.made])


@handles(aten.cat.default)
def _cat(call):
    tensors, dim = call.args[0], call.argument(1, "dim", 0)
    for x in tensors:
        check_whole(x, dim)
    dim %= call.made.ndim
    shape = [s for d, s in enumerate(call.made.shape) if d != dim]
    dims = broadcast([_without(dims_of(x), dim) for x in tensors], shape)
    dims.insert(dim, uncut(call.made.shape[dim]))
    return Found(call.args, call.kwargs, [dims])


def _without(dims, dim) -> Shape:
    return Shape(tuple(v for d, v in enumerate(dims) if d != dim))


@handles(aten.stack.default)
def _stack(call):
    tensors, dim = call.args[0], call.argument(1, "dim", 0) % call.made.ndim
    shape = list(call.made.shape)
    del shape[dim]
    dims = broadcast(tensors, shape)
    dims.insert(dim, uncut(len(tensors)))
    return Found(call.args, call.kwargs, [dims])
