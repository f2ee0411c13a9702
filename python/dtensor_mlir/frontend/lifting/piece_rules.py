"""Which operators on pieces are the same operators on wholes.

A rule takes a `Call` and gives the arguments for the wholes and the dimensions of
each result. It refuses where an operator would look along a dimension that is cut.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch.utils import _pytree as pytree

from ..layouts import UnsupportedError
from .pieces import (Dim, Factor, Piece, is_cut, is_cut_alike, is_floor_of,
                     is_number, is_one, is_same, quotient, uncut, whole_size)

aten = torch.ops.aten
c10d = torch.ops._c10d_functional
RULES: dict = {}
COLLECTIVES: dict = {}


@dataclasses.dataclass
class Call:
    func: object
    args: tuple
    kwargs: dict
    made: object  # fake tensors of the shapes of the pieces
    axis_of: Callable  # a mesh axis by the name of its group

    def argument(self, index: int, name: str, default=None):
        if len(self.args) > index:
            return self.args[index]
        return self.kwargs.get(name, default)

    def tensors(self) -> list:
        """Pieces and whole tensors among the arguments."""
        return [x for x in pytree.tree_leaves((self.args, self.kwargs))
                if isinstance(x, (Piece, torch.Tensor))]


def refuse(why: str):
    raise UnsupportedError(f"{why}; after to_local a rank has its own piece, and "
                           "operators that look at those of others can not be "
                           "compiled")


def _handles(*targets):
    def register(rule):
        for target in targets:
            RULES[target] = rule
        return rule
    return register


def dims_of(x) -> tuple[Dim, ...]:
    """Of a tensor that every rank has whole, too."""
    return tuple(map(uncut, x.shape)) if isinstance(x, torch.Tensor) else \
        x.dims


def wholes(tree):
    return pytree.tree_map(lambda x: x.whole if isinstance(x, Piece) else x,
                           tree)


def on_wholes(func, args, kwargs, made, call: Callable, axis_of: Callable):
    """The pieces that `func` gives; `call` calls it."""
    if func in COLLECTIVES:
        return COLLECTIVES[func](Call(func, args, kwargs, made, axis_of))
    rule = RULES.get(func)
    if rule is None and torch.Tag.pointwise in func.tags:
        rule = _pointwise
    if rule is None:
        refuse(f"{func} on the piece of one rank")
    found = rule(Call(func, args, kwargs, made, axis_of))
    partial = _partial(func, args, kwargs) | set(found.partial)
    results = call(found.func or func, *wholes((found.args, found.kwargs)))
    flat, spec = pytree.tree_flatten(results)
    pieces = [Piece(whole, local, tuple(dims), tuple(sorted(partial)))
              for whole, local, dims in zip(
                  flat, pytree.tree_leaves(made), found.dims, strict=True)]
    return pytree.tree_unflatten(pieces, spec)


@dataclasses.dataclass
class Found:
    """A call on wholes. `dims`: of each result; `partial`: axes along which
    the results are pending reductions, with the kind."""
    args: tuple
    kwargs: dict
    dims: list
    partial: tuple = ()
    func: object = None


#===- Pending reductions ---------------------------------------------------===#

_SUMS = {aten.add.Tensor, aten.sub.Tensor}
_MULTIPLES = {aten.mul.Tensor, aten.div.Tensor, aten.mul.Scalar,
              aten.div.Scalar, aten.neg.default}
MOVES = {aten.view.default, aten._unsafe_view.default, aten.expand.default,
          aten.permute.default, aten.t.default, aten.transpose.int,
          aten.unsqueeze.default, aten.squeeze.dim, aten.squeeze.dims,
          aten.select.int, aten.slice.Tensor, aten.split.Tensor,
          aten.split_with_sizes.default, aten.unbind.int, aten.cat.default,
          aten.stack.default, aten.clone.default, aten.detach.default,
          aten.alias.default, aten._to_copy.default}


def _partial(func, args, kwargs) -> set:
    found = [set(x.partial) if isinstance(x, Piece) else set()
             for x in pytree.tree_leaves((args, kwargs))
             if isinstance(x, (Piece, torch.Tensor))]
    pending = [p for p in found if p]
    if not pending:
        return set()
    alike = all(p == found[0] for p in found)
    is_sum = all(kind == "sum" for _, kind in pending[0])
    if func in _SUMS:
        good = is_sum and alike and len(found) == 2
    elif func in _MULTIPLES:
        good = is_sum and len(pending) == 1 and bool(
            found[0] or func is aten.mul.Tensor)
    else:
        good = alike and func in MOVES
    if not good:
        refuse(f"{func} on a local tensor that is pending a reduction")
    return pending[0]


#===- Element by element ---------------------------------------------------===#

@dataclasses.dataclass(frozen=True)
class _Shape:
    """Dimensions without a tensor."""
    dims: tuple[Dim, ...]


def _broadcast(tensors, shape) -> list[Dim]:
    """The dimensions of what tensors are together, element by element."""
    result = []
    for back in range(len(shape), 0, -1):
        at = [dims_of(x)[-back] for x in tensors if len(dims_of(x)) >= back]
        cut = next((d for d in at if is_cut(d)), None)
        for dim in at if cut else ():
            one = not is_cut(dim) and is_one(whole_size(dim))
            if not one and not is_cut_alike(dim, cut):
                _differ(dim, cut, len(shape) - back)
        result.append(cut or uncut(shape[-back]))
    return result


def _differ(dim, cut, number):
    if is_cut(dim):
        refuse(f"dimension {number} is cut in two ways")
    refuse(f"dimension {number} is {whole_size(dim)} elements that every rank "
           "has, and the pieces of a tensor")


def _pointwise(call):
    return Found(call.args, call.kwargs,
                 [_broadcast(call.tensors(), x.shape)
                  for x in pytree.tree_leaves(call.made)])


_handles(aten.clone.default, aten._to_copy.default, aten.copy.default, aten.fill_.Scalar, aten.fill_.Tensor,
         aten.zero_.default,
         aten.detach.default, aten.alias.default, aten.lift_fresh.default,
         aten.zeros_like.default, aten.ones_like.default,
         aten.empty_like.default, aten.full_like.default,
         aten.rand_like.default, aten.randn_like.default,
         aten.bernoulli_.float, aten.bernoulli.p, aten.native_dropout.default,
         aten.masked_fill.Scalar, aten.masked_fill_.Scalar,
         aten.masked_fill.Tensor, aten.masked_fill_.Tensor,
         aten.where.self)(_pointwise)


#===- Other shapes ---------------------------------------------------------===#

def _regroup(dims, shape) -> list[Dim]:
    """The same elements in dimensions of other sizes, of the piece."""
    left = [_settle(f) for dim in dims for f in dim]
    return [_take_one(left) if is_one(size) else _take(left, size)
            for size in shape]


def _settle(factor: Factor) -> Factor:
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


@_handles(aten.view.default, aten._unsafe_view.default, aten.reshape.default)
def _view(call):
    x = call.args[0]
    dims = _regroup(x.dims, call.made.shape)
    if sum(map(len, map(_axes, dims))) != sum(map(len, map(_axes, x.dims))):
        refuse("a view that drops a dimension that is cut")
    return Found((x, [whole_size(d) for d in dims]), {}, [dims],
                 func=aten.reshape.default)


def _axes(dim: Dim) -> list:
    return [f for f in dim if f.axes]


@_handles(aten.expand.default)
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


@_handles(aten.permute.default)
def _permute(call):
    x, order = call.args
    return Found(call.args, {}, [[x.dims[d] for d in order]])


@_handles(aten.t.default, aten.transpose.int)
def _transpose(call):
    dims = list(call.args[0].dims)
    a, b = call.args[1:] or (0, 1)
    if len(dims) > 1:
        dims[a], dims[b] = dims[b], dims[a]
    return Found(call.args, {}, [dims])


@_handles(aten.unsqueeze.default)
def _unsqueeze(call):
    x, dim = call.args
    dims = list(x.dims)
    dims.insert(dim % (len(dims) + 1), uncut(1))
    return Found(call.args, {}, [dims])


@_handles(aten.squeeze.dim, aten.squeeze.dims)
def _squeeze(call):
    x, given = call.args
    given = {d % len(x.dims) for d in
             (given if isinstance(given, (list, tuple)) else [given])}
    dropped = {d for d in given if is_one(x.local.shape[d])}
    for d in dropped:
        _whole(x, d)
    return Found(call.args, {}, [[v for d, v in enumerate(x.dims)
                                  if d not in dropped]])


#===- Parts ----------------------------------------------------------------===#

def _whole(x, *dims):
    """Refuses where a dimension is cut."""
    known = dims_of(x)
    for d in dims:
        if known and is_cut(known[d]):
            refuse(f"dimension {d % len(known)} is cut, and would be looked "
                   "along")


@_handles(aten.select.int)
def _select(call):
    x, dim = call.args[0], call.args[1] % len(call.args[0].dims)
    _whole(x, dim)
    return Found(call.args, {}, [[*x.dims[:dim], *x.dims[dim + 1:]]])


@_handles(aten.slice.Tensor)
def _slice(call):
    x, dim = call.args[0], call.argument(1, "dim", 0)
    dim %= len(x.dims)
    dims = list(x.dims)
    if is_cut(dims[dim]) and is_same(x.local.shape[dim], call.made.shape[dim]):
        return Found((x, dim), {}, [dims])
    _whole(x, dim)
    dims[dim] = uncut(call.made.shape[dim])
    return Found(call.args, call.kwargs, [dims])


@_handles(aten.split.Tensor, aten.split_with_sizes.default)
def _split(call):
    x, dim = call.args[0], call.argument(2, "dim", 0)
    _whole(x, dim)
    found = []
    for part in call.made:
        found.append(list(x.dims))
        found[-1][dim] = uncut(part.shape[dim])
    return Found(call.args, call.kwargs, found)


@_handles(aten.unbind.int)
def _unbind(call):
    x, dim = call.args[0], call.argument(1, "dim", 0) % len(call.args[0].dims)
    _whole(x, dim)
    return Found(call.args, call.kwargs,
                 [[*x.dims[:dim], *x.dims[dim + 1:]] for _ in call.made])


@_handles(aten.cat.default)
def _cat(call):
    tensors, dim = call.args[0], call.argument(1, "dim", 0)
    for x in tensors:
        _whole(x, dim)
    dim %= call.made.ndim
    shape = [s for d, s in enumerate(call.made.shape) if d != dim]
    dims = _broadcast([_without(dims_of(x), dim) for x in tensors], shape)
    dims.insert(dim, uncut(call.made.shape[dim]))
    return Found(call.args, call.kwargs, [dims])


def _without(dims, dim) -> _Shape:
    return _Shape(tuple(v for d, v in enumerate(dims) if d != dim))


@_handles(aten.stack.default)
def _stack(call):
    tensors, dim = call.args[0], call.argument(1, "dim", 0) % call.made.ndim
    shape = list(call.made.shape)
    del shape[dim]
    dims = _broadcast(tensors, shape)
    dims.insert(dim, uncut(len(tensors)))
    return Found(call.args, call.kwargs, [dims])


#===- Along dimensions -----------------------------------------------------===#

def _dims_argument(call, index, name):
    """Those that the call names, or all."""
    rank = len(call.args[0].dims)
    given = call.argument(index, name)
    if given is None or given == []:
        return list(range(rank))
    return [d % rank for d in
            (given if isinstance(given, (list, tuple)) else [given])]


@_handles(aten._softmax.default, aten._log_softmax.default,
          aten.cumsum.default, aten.cumprod.default, aten.flip.default,
          aten.softmax.int, aten.log_softmax.int)
def _keeps_shape(call):
    x = call.args[0]
    _whole(x, *_dims_argument(call, 1, "dim"))
    return Found(call.args, call.kwargs, [x.dims])


@_handles(aten.tril.default, aten.triu.default)
def _triangle(call):
    x = call.args[0]
    _whole(x, -1, -2)
    return Found(call.args, call.kwargs, [x.dims])


_PENDING = {aten.sum.dim_IntList: "sum", aten.sum.default: "sum",
            aten.amax.default: "max", aten.amin.default: "min"}


@_handles(aten.sum.dim_IntList, aten.sum.default, aten.amax.default,
          aten.amin.default, aten.mean.dim, aten.mean.default,
          aten.var.correction, aten.std.correction, aten.var_mean.correction,
          aten.logsumexp.default, aten.argmax.default, aten.argmin.default,
          aten.max.dim, aten.min.dim, aten.prod.dim_int,
          aten.linalg_vector_norm.default)
def _reduction(call):
    x = call.args[0]
    at = 2 if call.func is aten.linalg_vector_norm.default else 1
    along = _dims_argument(call, at, "dim")
    kind, axes = _PENDING.get(call.func), []
    for d in along:
        if kind is None:
            _whole(x, d)
        axes += [a for f in x.dims[d] for a in f.axes]
    made = pytree.tree_leaves(call.made)
    keeps = made[0].ndim == len(x.dims)
    dims = [uncut(1) if d in along else v for d, v in enumerate(x.dims)
            if keeps or d not in along]
    return Found(call.args, call.kwargs, [dims] * len(made),
                 tuple((a, kind) for a in axes))


@_handles(aten.native_layer_norm.default, aten._fused_rms_norm.default)
def _norm(call):
    x, shape, weights = call.args[0], call.args[1], call.args[2:]
    count = len(shape)
    _whole(x, *range(-count, 0))
    for w in weights:
        if isinstance(w, Piece):
            _whole(w, *range(-count, 0))
    kept = [*x.dims[:-count], *[uncut(1)] * count]
    made = pytree.tree_leaves(call.made)
    return Found(call.args, call.kwargs, [x.dims] + [kept] * (len(made) - 1))


#===- Rows by numbers ------------------------------------------------------===#

@_handles(aten.embedding.default)
def _embedding(call):
    table, ids = call.args[:2]
    _whole(table, 0)
    return Found(call.args, call.kwargs, [[*dims_of(ids), dims_of(table)[1]]])


@_handles(aten.index_select.default)
def _index_select(call):
    x, dim, index = call.args
    _whole(x, dim)
    dims = list(dims_of(x))
    dims[dim] = dims_of(index)[0] if dims_of(index) else uncut(1)
    return Found(call.args, {}, [dims])


@_handles(aten.gather.default)
def _gather(call):
    x, dim, index = call.args[:3]
    _whole(x, dim)
    _whole(index, dim)
    for d, (a, b) in enumerate(zip(dims_of(x), dims_of(index))):
        if d != dim % len(dims_of(x)) and not is_cut_alike(a, b):
            _differ(*((a, b) if is_cut(b) else (b, a)), d)
    return Found(call.args, call.kwargs, [dims_of(index)])


#===- Products -------------------------------------------------------------===#

def _einsum(call, tensors, rule: str):
    """Dimensions by letters: what is the same letter is cut alike."""
    inputs, output = rule.split("->")
    known: dict[str, Dim] = {}
    for x, letters in zip(tensors, inputs.split(",")):
        for number, (letter, dim) in enumerate(zip(letters, dims_of(x))):
            other = known.setdefault(letter, dim)
            if not is_cut_alike(other, dim):
                _differ(*((dim, other) if is_cut(other) else (other, dim)),
                        number)
    summed = [(a, "sum") for letter, dim in known.items()
              if letter not in output for f in dim for a in f.axes]
    return [known[letter] for letter in output], tuple(summed)


@_handles(aten.mm.default, aten.bmm.default, aten.mv.default,
          aten.dot.default)
def _product(call):
    rule = {aten.mm.default: "mk,kn->mn", aten.bmm.default: "bmk,bkn->bmn",
            aten.mv.default: "mk,k->m", aten.dot.default: "k,k->"}[call.func]
    dims, partial = _einsum(call, call.args[:2], rule)
    return Found(call.args, call.kwargs, [dims], partial)


@_handles(aten.addmm.default, aten.baddbmm.default)
def _add_product(call):
    rule = "mk,kn->mn" if call.func is aten.addmm.default else "bmk,bkn->bmn"
    bias, *factors = call.args
    dims, partial = _einsum(call, factors, rule)
    if partial:
        refuse("every rank would add the whole bias to its part of a sum")
    return Found(call.args, call.kwargs, [_broadcast(
        [bias, _Shape(tuple(dims))], call.made.shape)])


@_handles(torch.ops.dtensor_mlir.attention.default)
def _attention(call):
    q, k, v = call.args[:3]
    _whole(q, 2, 3)
    _whole(k, 2, 3)
    _whole(v, 2, 3)
    _einsum(call, (k, v), "bgsd,bgse->")
    batch = _broadcast([_Shape(dims_of(x)[:1]) for x in (q, k)],
                       call.made.shape[:1])
    heads, groups = dims_of(q)[1], dims_of(k)[1]
    if is_cut(heads) or is_cut(groups):
        _check_groups(heads, groups)
    return Found(call.args, call.kwargs, [[*batch, heads, dims_of(q)[2],
                                           dims_of(v)[3]]])


def _check_groups(heads: Dim, groups: Dim):
    """Head h reads keys h // (heads / groups), in the piece and in the whole:
    each rank has the keys of its heads, or all heads have the same."""
    if not is_cut(groups) and is_one(whole_size(groups)):
        return
    heads, groups = (tuple(map(_settle, dim)) for dim in (heads, groups))
    axes = [[f.axes for f in dim if f.axes] for dim in (heads, groups)]
    ratios = [quotient(_local(heads), _local(groups)),
              quotient(whole_size(heads), whole_size(groups))]
    if axes[0] != axes[1] or None in ratios or not is_same(*ratios):
        refuse("heads are cut in other ways than the heads of their keys")


def _local(dim: Dim):
    size = 1
    for f in dim:
        size = size * f.local
    return size


#===- Collectives ----------------------------------------------------------===#
# The whole stays as it is, and what a rank has of it is another piece.

def _collective(target):
    def register(rule):
        COLLECTIVES[target] = rule
        return rule
    return register


@_collective(c10d.wait_tensor.default)
def _wait(call):
    return call.args[0]


@_collective(aten.copy_.default)
def _copy(call):
    """A collective in place is one whose result is copied back."""
    target, source = call.args[:2]
    dims = _broadcast([target, source], call.made.shape)
    if not isinstance(target, Piece) or any(
            is_cut(a) != is_cut(b) for a, b in zip(target.dims, dims)):
        refuse(f"{call.func} of a piece to what every rank has")
    if getattr(source, "whole", source) is not target.whole:
        target.whole.copy_(getattr(source, "whole", source))
    target.partial = getattr(source, "partial", ())
    return target


def _reduced(call, x, kind, group):
    """The axis of the group, and what is pending along others."""
    axis = call.axis_of(group)
    if (axis, kind) not in x.partial:
        refuse(f"{call.func} of kind \"{kind}\" of what is not pending such a "
               f"reduction along mesh axis {axis}")
    return axis, tuple(p for p in x.partial if p[0] != axis)


@_collective(c10d.all_reduce.default)
def _all_reduce(call):
    x = call.args[0]
    _, partial = _reduced(call, *call.args)
    return Piece(x.whole, call.made, x.dims, partial)


@_collective(c10d.reduce_scatter_tensor.default)
def _reduce_scatter(call):
    x, kind, _, group = call.args
    axis, partial = _reduced(call, x, kind, group)
    if is_cut(x.dims[0]):
        refuse(f"{call.func} of a dimension that is cut")
    size = whole_size(x.dims[0])
    cut = (Factor(call.made.shape[0], size, (axis,)),)
    return Piece(x.whole, call.made, (cut, *x.dims[1:]), partial)


@_collective(c10d.all_gather_into_tensor.default)
def _all_gather(call):
    x, _, group = call.args
    axis, dim = call.axis_of(group), x.dims[0]
    axes = dim[0].axes if dim else ()
    # Pieces of one size, one after the other, are the whole.
    if axes != (axis,) or not bool(call.made.shape[0] == whole_size(dim)):
        refuse(f"{call.func} of what mesh axis {axis} does not cut into equal "
               "pieces along dimension 0")
    joined = (*uncut(dim[0].whole), *dim[1:])
    return Piece(x.whole, call.made, (joined, *x.dims[1:]), x.partial)
