"""A graph of ATen as a program of the compiler.

What becomes of an operator is told in `aten.py`; here are the values, the types
and the function around them. Every op carries the line of the user's program.
"""

from __future__ import annotations

import dataclasses
import math
import re
import struct

import sympy
import torch
from torch import fx

from .layouts import UnsupportedError, element
from .nodes import trace_of, unsupported, user_line
from .symbols import Symbols

SEED = "%seed"

#: Classes of PyTorch's expressions: operations on numbers.
_FLOAT_OPS = {"Add": "arith.addf", "Mul": "arith.mulf",
              "IntTrueDiv": "arith.divf", "FloatTrueDiv": "arith.divf",
              "Max": "arith.maximumf", "Min": "arith.minimumf",
              "OpaqueUnaryFn_sqrt": "math.sqrt"}


@dataclasses.dataclass(frozen=True)
class Value:
    """An SSA value: a tensor, or a scalar where `shape` is None."""
    name: str
    shape: tuple | None
    element: str


def number_text(value, kind: str) -> str:
    if kind == "i1":
        return "true" if value else "false"
    if kind[0] == "i":
        return str(int(value))
    value = float(value)
    if math.isfinite(value):
        text = repr(value)
        return text if "." in text or "e" not in text else \
            text.replace("e", ".0e")
    if kind == "f64":
        return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"
    bits = {"f32": (8, 23), "f16": (5, 10), "bf16": (8, 7)}[kind]
    word = ((1 << bits[0]) - 1) << bits[1]
    word |= (1 << (bits[1] - 1)) if math.isnan(value) else 0
    word |= (1 << (sum(bits))) if value == -math.inf else 0
    return f"0x{word:0{(sum(bits) + 1) // 4}X}"


class Emitter:
    """Writes one function."""

    def __init__(self, known=(), ranges=None):
        self.symbols = Symbols(known, ranges)
        self.lines: list[tuple[str, str]] = []  # an op and its place
        self.values: dict[fx.Node, object] = {}
        self.draws = 0  # random ops so far
        self._count = 0
        self._node: fx.Node | None = None

    #===- Types ------------------------------------------------------------===#

    def type(self, value: Value) -> str:
        if value.shape is None:
            return value.element
        dims = "".join(self.symbols.dim(d) + "x" for d in value.shape)
        return f"tensor<{dims}{value.element}>"

    def layout(self, shape, placements: str) -> str:
        extents = ", ".join(self.symbols.text(d) for d in shape)
        if not placements.startswith("["):  # else with the order of the axes
            placements = f"[{placements}]"
        return f"#dtensor.layout<#mesh, {placements}, ({extents})>"

    def sizes(self, shape) -> str:
        return f"[{', '.join(self.symbols.attribute(d) for d in shape)}]"

    #===- Ops --------------------------------------------------------------===#

    def _place(self) -> str:
        line = user_line(self._node) if self._node else ""
        match = re.match(r'File "(.*)", line (\d+)', line)
        return f'loc("{match[1]}":{match[2]}:0)' if match else ""

    def new(self, shape, kind: str) -> Value:
        self._count += 1
        return Value(f"%v{self._count}",
                     None if shape is None else tuple(shape), kind)

    def write(self, text: str) -> None:
        self.lines.append((text, self._place()))

    def op(self, name: str, operands, shape, kind: str, attributes="") -> Value:
        """An op of our dialect with one result."""
        result = self.new(shape, kind)
        self.many(name, operands, [result], attributes)
        return result

    def many(self, name, operands, results, attributes="") -> None:
        names = ", ".join(o.name for o in operands)
        types = ", ".join(self.type(o) for o in operands)
        given = ", ".join(self.type(r) for r in results)
        given = f"({given})" if len(results) > 1 else given
        left = ", ".join(r.name for r in results)
        attributes = f" {{{attributes}}}" if attributes else ""
        self.write(f"{left} = dtensor.{name} {names}{attributes} : ({types}) "
                   f"-> {given}")

    def constant(self, number, kind: str) -> Value:
        if isinstance(number, (torch.SymInt, torch.SymFloat)):
            return self._symbolic(number, kind)
        result = self.new(None, kind)
        self.write(f"{result.name} = arith.constant "
                   f"{self.number(number, kind)}")
        return result

    def _symbolic(self, number, kind):
        if isinstance(number, torch.SymFloat):
            found = self._float(number.node.expr)
            if kind == "f64":
                return found
            result = self.new(None, kind)
            self.write(f"{result.name} = arith.truncf {found.name} : f64 to "
                       f"{kind}")
            return result
        whole = self._whole(self.symbols.text(number))
        if kind == "i64":
            return whole
        result = self.new(None, kind)
        cast = "sitofp" if kind[0] in "fb" else "trunci"
        self.write(f"{result.name} = arith.{cast} {whole.name} : i64 to {kind}")
        return result

    def _whole(self, text: str) -> Value:
        index, whole = self.new(None, "index"), self.new(None, "i64")
        self.write(f"{index.name} = dtensor.extent <{text}>")
        self.write(f"{whole.name} = arith.index_cast {index.name} : index to "
                   "i64")
        return whole

    def _float(self, e) -> Value:
        """A number that PyTorch computes from sizes, in f64 as there."""
        if e.is_number:
            return self.constant(float(e), "f64")
        if e.is_integer:
            whole, result = self._whole(self.symbols.expression_text(e)), \
                self.new(None, "f64")
            self.write(f"{result.name} = arith.sitofp {whole.name} : i64 to "
                       "f64")
            return result
        name, args = type(e).__name__, e.args
        if isinstance(e, sympy.Pow) and e.exp == -1:
            name, args = "FloatTrueDiv", (sympy.Float(1), e.base)
        if name == "FloatPow" and args[1] == 0.5:
            name, args = "OpaqueUnaryFn_sqrt", args[:1]
        if name == "ToFloat":
            return self._float(args[0])
        if name not in _FLOAT_OPS:
            raise UnsupportedError(f"a computed float {e} of sizes")
        values = [self._float(a) for a in args]
        result = values.pop(0)
        for value in values or (None,):
            operands = (result, value) if value else (result,)
            result = self.new(None, "f64")
            self.write(f"{result.name} = {_FLOAT_OPS[name]} "
                       f"{', '.join(o.name for o in operands)} : f64")
        return result

    @staticmethod
    def number(number, kind: str) -> str:
        """An attribute that is one number."""
        suffix = "" if kind == "i1" else f" : {kind}"
        return number_text(number, kind) + suffix

    def cast(self, value: Value, kind: str) -> Value:
        if value.element == kind:
            return value
        if kind == "i1":
            zero = self.constant(0, value.element)
            return self.op("compare", [value, zero], value.shape, "i1",
                           'predicate = "ne"')
        return self.op("cast", [value], value.shape, kind)

    def has_shape(self, value: Value, shape) -> bool:
        return len(shape) == len(value.shape) and all(
            self.symbols.text(a) == self.symbols.text(b)
            for a, b in zip(shape, value.shape))

    def reshape(self, value: Value, shape) -> Value:
        if self.has_shape(value, shape):
            return value
        return self.op("reshape", [value], shape, value.element,
                       f"sizes = {self.sizes(shape)}")

    def full(self, number, shape, kind: str) -> Value:
        return self.op("full", [self.constant(number, kind)], shape, kind,
                       f"sizes = {self.sizes(shape)}")

    def random(self, name, operands, results, attributes="") -> None:
        """An op that draws numbers of its own from the seed of the call."""
        offset = self.constant(self.draws, "i64")
        self.draws += 1
        self.many(name, [*operands, Value(SEED, (), "i64"), offset], results,
                  attributes)

    def _index(self, number) -> Value:
        value = self.new(None, "index")
        text = self.symbols.text(number)
        self.write(f"{value.name} = arith.constant {text} : index"
                   if text.isdigit() else
                   f"{value.name} = dtensor.extent <{text}>")
        return value

    def loop(self, count, values, body) -> list[Value]:
        """`values = body(i, values)` for i from 0 to `count`; i is an i64."""
        zero, one, end = map(self._index, (0, 1, count))
        index = self.new(None, "index")
        carried = [self.new(v.shape, v.element) for v in values]
        results = [self.new(v.shape, v.element) for v in values]
        given = ", ".join(f"{c.name} = {v.name}"
                          for c, v in zip(carried, values))
        types = ", ".join(map(self.type, values))
        names = ", ".join(r.name for r in results)
        self.lines.append((
            f"{names} = scf.for {index.name} = {zero.name} to {end.name} step "
            f"{one.name} iter_args({given}) -> ({types}) {{", ""))
        number = self.new(None, "i64")
        self.write(f"{number.name} = arith.index_cast {index.name} : index to "
                   "i64")
        last = ", ".join(v.name for v in body(number, carried))
        self.write(f"scf.yield {last} : {types}")
        self.write("}")
        return results

    #===- The graph --------------------------------------------------------===#

    def value(self, argument) -> Value:
        found = self.values[argument]
        if not isinstance(found, Value):
            raise UnsupportedError(f"{argument} is not a tensor")
        return found

    def resolve(self, argument):
        """Nodes of sizes become their SymInts, nodes of tensors stay."""
        if isinstance(argument, fx.Node):
            value = argument.meta["val"]
            return argument if isinstance(value, (torch.Tensor, tuple, list)) \
                else value
        if isinstance(argument, (list, tuple)):
            return [self.resolve(a) for a in argument]
        return argument

    def result_type(self, node: fx.Node):
        value = node.meta["val"]
        return tuple(value.shape), element(value.dtype)

    def add_argument(self, node: fx.Node) -> Value:
        shape, kind = self.result_type(node)
        value = self.new(shape, kind)
        self.values[node] = value
        return value

    def run_node(self, node: fx.Node, table) -> None:
        self._node = node
        if not _is_emitted(node):
            return
        if _is_getitem(node):
            self.values[node] = self.values[node.args[0]][node.args[1]]
            return
        handler = table[node.target]
        try:
            self.values[node] = handler(
                self, node, *self.resolve(node.args),
                **{k: self.resolve(v) for k, v in node.kwargs.items()})
        except UnsupportedError as error:
            if "File " in str(error):
                raise
            raise UnsupportedError(f"{node.target}: {error}\n  "
                                   f"{user_line(node)}",
                                   trace_of(node)) from error


def _is_getitem(node: fx.Node) -> bool:
    return getattr(node.target, "__name__", "") == "getitem"


def _is_emitted(node: fx.Node) -> bool:
    """Assertions and what nobody asks for are left out; sizes are expressions
    where they are used."""
    return bool(node.users) and not isinstance(
        node.meta.get("val"), (torch.SymInt, torch.SymFloat, torch.SymBool,
                               int, float, bool))


def check_imports(graph: fx.Graph, table) -> None:
    """Raises for the first operator that has no handler."""
    for node in graph.nodes:
        if node.op == "call_function" and _is_emitted(node) and \
                not _is_getitem(node) and node.target not in table:
            unsupported(node, f"no import of the operator {node.target}")


def constants_of(graph: fx.Graph) -> dict[fx.Node, torch.Tensor]:
    """Tensors that tracing found in the program, by the nodes that read
    them."""
    nodes = [n for n in graph.nodes if n.op == "get_attr" and n.users]
    found = {n: getattr(graph.owning_module, n.target) for n in nodes}
    return {n: t for n, t in found.items() if isinstance(t, torch.Tensor)}


@dataclasses.dataclass
class Function:
    """The text of a module with one function, and how to call it."""
    text: str
    key: str  # the text without places, and without the hints of sizes
    hints: str
    symbols: list  # sympy symbols, in the order of the leading arguments
    is_random: bool  # the last argument is a seed, tensor<i64>


def emit_function(graph: fx.Graph, table, mesh: str, arguments, results,
                  known=(), updates=None, hints=None, name="main",
                  ranges=None) -> Function:
    """`arguments`: (node, placements) of the tensors; `results`: (node,
    placements or None) in order. `known`: symbols that have names already.
    `updates`: {number of a result: number of the argument that it is written
    to}. `hints`: {symbol: its size in the first call}, `ranges`: {symbol: where
    it is}."""
    updates = updates or {}
    e = Emitter(known, ranges)
    args = [(e.add_argument(node), placements)
            for node, placements in arguments]
    for node in graph.nodes:
        if node.op == "call_function":
            e.run_node(node, table)
    e._node = None
    donated = set(updates.values())
    signature = [f"{v.name}: {e.type(v)} {{dtensor.layout = "
                 f"{e.layout(v.shape, p)}"
                 f"{', dtensor.donated' if i in donated else ''}}}"
                 for i, (v, p) in enumerate(args)]
    if e.draws:
        signature.append(f"{SEED}: tensor<i64>")
    outs, types = [], []
    count = len(e.symbols.names)  # arguments before the tensors
    for i, (node, placements) in enumerate(results):
        value = e.value(node)
        outs.append(value)
        update = f", dtensor.updates = {count + updates[i]}" \
            if i in updates else ""
        pinned = "" if placements is None else \
            f" {{dtensor.layout = {e.layout(value.shape, placements)}{update}}}"
        types.append(f"{e.type(value)}{pinned}")
    symbols = [f'%{n}: index {{dtensor.symbol = "{n}"}}'
               for n in e.symbols.names.values()]
    head = (f"#mesh = {mesh}\nfunc.func @{name}("
            + ",\n    ".join(symbols + signature) + ")\n    -> ("
            + ", ".join(types) + ") attributes {dtensor.mesh = #mesh")
    sizes = ", ".join(f"{name} = {{hint = {hints[symbol]}}}"
                      for symbol, name in e.symbols.names.items()
                      if hints and symbol in hints)
    sizes = f", dtensor.symbols = {{{sizes}}}" if sizes else ""
    open_ = "} {\n"
    tail = (f"  return {', '.join(o.name for o in outs)}"
            + (" : " if outs else "")
            + ", ".join(e.type(o) for o in outs) + "\n}\n")
    return Function(
        head + sizes + open_ + "".join(f"  {t} {p}\n" for t, p in e.lines)
        + tail,
        head + open_ + "".join(f"  {t}\n" for t, _ in e.lines) + tail, sizes,
        list(e.symbols.names), bool(e.draws))
