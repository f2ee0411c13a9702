# REQUIRES: python
# RUN: %python %s %obj %t
"""Convolutions, their gradients and pooling on every kind of shard."""

import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
import harness
from conform import *

CONVOLUTION = [None, F.conv1d, F.conv2d, F.conv3d]
MAX_POOL = [None, F.max_pool1d, F.max_pool2d, F.max_pool3d]
AVG_POOL = [None, F.avg_pool1d, F.avg_pool2d, F.avg_pool3d]
ADAPTIVE = [None, F.adaptive_avg_pool1d, F.adaptive_avg_pool2d]


def gradient(function, at):
    """The gradient of sum(function(...) * weights) by argument `at`."""
    def compute(weights, *args):
        args = [a.detach().clone() for a in args]
        args[at].requires_grad_()
        y = function(*args)
        return torch.autograd.grad(y, args[at], weights)[0]
    return compute


class Window:
    """One choice of parameters; `space` and `kernel` have one entry each."""

    def __init__(self, space, kernel, stride=1, padding=0, dilation=1):
        self.space, self.kernel = space, kernel
        self.rank = len(space)
        self.stride, self.padding, self.dilation = stride, padding, dilation

    def attributes(self, *more):
        lists = {"stride": self.stride, "padding": self.padding,
                 "dilation": self.dilation}
        texts = [f"{name} = {[value] * self.rank}"
                 for name, value in lists.items()
                 if value != (0 if name == "padding" else 1)]
        return "{" + ", ".join(list(more) + texts) + "}"

    def extents(self, sizes):
        return [sizes[d] if isinstance(d, str) else d for d in self.space]

    def fits(self, **sizes):
        return all((k - 1) * self.dilation < extent + 2 * self.padding
                   for k, extent in zip(self.kernel, self.extents(sizes)))

    def windows(self):
        """As text."""
        return [f"({d} + {2 * self.padding - (k - 1) * self.dilation - 1}) "
                f"floordiv {self.stride} + 1"
                for d, k in zip(self.space, self.kernel)]

    def count(self, sizes):
        return [(extent + 2 * self.padding - (k - 1) * self.dilation - 1)
                // self.stride + 1
                for k, extent in zip(self.kernel, self.extents(sizes))]

    def name(self):
        return f"{self.rank}d_{''.join(map(str, self.kernel))}" \
               f"_s{self.stride}p{self.padding}d{self.dilation}"


def convolution(window, channels=("K", "N"), groups=1, bias=False,
                dtype="f32"):
    into, out = channels
    x = ["B", into] + window.space
    share = into if groups == 1 else into // groups
    w = [out, share] + window.kernel
    y = tensor(["B", out] + ["?"] * window.rank, dtype)
    def forward(x, w, b=None):
        wide = dtype in ("f32", "f64")
        up = (lambda t: t) if wide else (lambda t: None if t is None
                                         else t.float())
        return CONVOLUTION[window.rank](
            up(x), up(w), up(b), window.stride, window.padding,
            window.dilation, groups).to(x.dtype)
    args = [(x, dtype), (w, dtype)] + ([([out], dtype)] if bias else [])
    more = [f"groups = {groups}"] if groups > 1 else []
    operands = "%a, %b, %c : ($A, $B, $C)" if bias else "%a, %b : ($A, $B)"
    values, types = operands.split(" : ")
    return Case(f"conv_{window.name()}_g{groups}_{dtype}"
                + ("_bias" if bias else ""), args, y,
                f"%r0 = dtensor.convolution {values} "
                f"{window.attributes(*more)} : {types} -> $0", forward,
                when=lambda **s: window.fits(**s) and s["K"] > 0,
                tolerance=(1e-5, 1e-5) if dtype == "f32" else None)


def convolution_gradients(window, into=4, out=6, groups=1):
    """In one program: the forward gives the shape of the gradient."""
    x, w = ["B", into] + window.space, [out, into // groups] + window.kernel
    y = tensor(["B", out] + ["?"] * window.rank, "f32")
    more = [f"groups = {groups}"] if groups > 1 else []
    sizes = ", ".join(f"#dtensor.expr<{d}>" for d in window.space)
    forward = lambda x, w: CONVOLUTION[window.rank](
        x, w, None, window.stride, window.padding, window.dilation, groups)
    def reference(x, w):
        y = forward(x, w)
        return [gradient(forward, 0)(y, x, w), gradient(forward, 1)(y, x, w)]
    return Case(
        f"conv_grad_{window.name()}_g{groups}", [(x, "f32"), (w, "f32")],
        [tensor(x, "f32"), tensor(w, "f32")],
        f"%y = dtensor.convolution %a, %b {window.attributes(*more)} : "
        f"($A, $B) -> {y}\n"
        "%r0 = dtensor.convolution_input_grad %y, %b "
        f"{window.attributes(f'sizes = [{sizes}]', *more)} : "
        f"({y}, $B) -> $0\n"
        "%r1 = dtensor.convolution_weight_grad %a, %y "
        f"{window.attributes(f'kernel = {window.kernel}', *more)} : "
        f"($A, {y}) -> $1", reference, when=lambda **s: window.fits(**s),
        tolerance=(1e-4, 1e-4))


def max_pool(window, dtype="f32"):
    x = ["B", "K"] + window.space
    y = ["B", "K"] + ["?"] * window.rank
    sizes = ", ".join(f"#dtensor.expr<{d}>" for d in window.space)
    def reference(x):
        pool = lambda x: MAX_POOL[window.rank](
            x, window.kernel, window.stride, window.padding, window.dilation,
            return_indices=True)
        values, indices = pool(x)
        grad = gradient(lambda x: pool(x)[0], 0)(values.double(), x.double())
        return [values, indices, grad]
    pool = window.attributes(f"kernel = {window.kernel}")
    return Case(
        f"max_pool_{window.name()}_{dtype}", [(x, dtype)],
        [tensor(y, dtype), tensor(y, "i64"), tensor(x, dtype)],
        f"%r0, %r1 = dtensor.max_pool %a {pool} : ($A) -> ($0, $1)\n"
        "%r2 = dtensor.max_pool_grad %r0, %r1 "
        f"{window.attributes(f'sizes = [{sizes}]', f'kernel = {window.kernel}')}"
        " : ($0, $1) -> $2", reference,
        when=lambda **s: window.fits(**s) and s["K"] > 0)


def avg_pool(window, exclude=False, dtype="f32"):
    x = ["B", "K"] + window.space
    y = ["B", "K"] + ["?"] * window.rank
    sizes = ", ".join(f"#dtensor.expr<{d}>" for d in window.space)
    more = ["exclude_pad"] if exclude else []
    def reference(x):
        pool = lambda x: AVG_POOL[window.rank](
            x.float(), window.kernel, window.stride, window.padding, False,
            not exclude).to(x.dtype)
        return [pool(x), gradient(pool, 0)(pool(x), x)]
    def attributes(*other):
        return window.attributes(f"kernel = {window.kernel}", *more, *other)
    return Case(
        f"avg_pool_{window.name()}_{dtype}" + ("_exclude" if exclude else ""),
        [(x, dtype)], [tensor(y, dtype), tensor(x, dtype)],
        f"%r0 = dtensor.avg_pool %a {attributes()} : ($A) -> $0\n"
        f"%r1 = dtensor.avg_pool_grad %r0 {attributes(f'sizes = [{sizes}]')}"
        " : ($0) -> $1", reference,
        when=lambda **s: window.fits(**s) and s["K"] > 0)


def unfold():
    """Each element with those beside it, zeros outside."""
    pad = lambda x: F.pad(x, (0, 0, 1, 1))
    return Case(
        "unfold", [(["M", "N"], "f32")], tensor(["M", "N", 3], "f32"),
        "%r0 = dtensor.unfold %a {dims = [0], sizes = [#dtensor.expr<M>], "
        "kernel = [3], stride = [1], dilation = [1], offset = [-1], divisor = "
        "[1], value = 0.0 : f32} : ($A) -> $0",
        lambda x: pad(x).unfold(0, 3, 1) if len(x) else x[..., None].expand(
            *x.shape, 3))


def adaptive(space, sizes):
    x = ["B", "K"] + space
    return Case(
        f"adaptive_{len(space)}d_{'_'.join(map(str, sizes))}", [(x, "f32")],
        tensor(["B", "K"] + sizes, "f32"),
        f"%r0 = dtensor.adaptive_avg_pool %a {{sizes = {sizes}}} : "
        "($A) -> $0", lambda x: ADAPTIVE[len(space)](x, sizes),
        when=lambda **s: s["K"] > 0 and all(s[d] > 0 for d in space))


def adaptive_gradient(space, sizes, dtype="f32"):
    x, y = ["B", "K"] + space, ["B", "K"] + sizes
    extents = ", ".join(f"#dtensor.expr<{d}>" for d in space)
    pool = lambda x: ADAPTIVE[len(space)](x.float(), sizes)
    return Case(
        f"adaptive_{len(space)}d_grad_{'_'.join(map(str, sizes))}_{dtype}",
        [(y, dtype), (x, dtype)], tensor(x, dtype),
        f"%0 = dtensor.adaptive_avg_pool_grad %a {{sizes = [{extents}]}} : "
        "($A) -> $0\n%r0 = dtensor.add %0, %b : ($0, $B) -> $0",
        lambda g, x: gradient(pool, 0)(g.float(), x.float()).to(x.dtype) + x,
        when=lambda **s: s["K"] > 0 and all(s[d] > 0 for d in space),
        tolerance=(3e-2, 3e-2) if dtype == "bf16" else None)


SAME = Window(["M", "N"], [3, 3], padding=1)
VALID = Window(["M"], [3])
STRIDED = Window(["M", "N"], [3, 2], stride=2, padding=1)
DILATED = Window(["M"], [3], padding=2, dilation=2)
LONG = Window(["M"], [7], padding=3)
PATCHES = Window(["M"], [2], stride=2)
CUBE = Window(["M", "N", "K"], [2, 3, 2], padding=1)


def one_axis():
    return [
        convolution(VALID), convolution(SAME, (4, 6), bias=True),
        convolution(STRIDED, (4, 6), groups=2), convolution(DILATED),
        convolution(LONG), convolution(PATCHES, bias=True),
        convolution(CUBE, (2, 3)), convolution(SAME, (4, 4), groups=4),
        convolution(VALID, dtype="bf16", bias=True)]


def gradients():
    return [convolution_gradients(w) for w in
            (VALID, SAME, STRIDED, DILATED, LONG)] + [
            convolution_gradients(SAME, groups=2)]


def pools():
    two = Window(["M", "N"], [2, 3], stride=2, padding=1)
    return [unfold(), max_pool(two), max_pool(VALID), max_pool(PATCHES, "i32"),
            max_pool(Window(["M"], [3], 1, 1, 2)), avg_pool(two),
            avg_pool(two, True), avg_pool(VALID), avg_pool(VALID, dtype="bf16"),
            adaptive(["M"], [2]), adaptive(["M", "N"], [3, 2]),
            adaptive_gradient(["M", "N"], [3, 2]), adaptive_gradient(["M"], [2]),
            adaptive_gradient(["M"], [5], "bf16")]


LARGER = [dict(M=16, N=9, K=2, B=2), dict(M=13, N=8, K=3, B=1)]


def test_convolutions_on_one_axis():
    sweep_1d("convolutions", one_axis(), sizes=SIZES[:4] + LARGER)


def test_gradients_on_one_axis():
    sweep_1d("gradients", gradients(), sizes=SIZES[:4] + LARGER)


def test_pools_on_one_axis():
    sweep_1d("pools", pools(), sizes=SIZES[:4] + LARGER)


def test_all_on_two_axes():
    sweep_2d("windows", one_axis()[1:3] + gradients()[:3] + pools()[::3],
             sizes=SIZES[:3] + LARGER[:1])


harness.main()
