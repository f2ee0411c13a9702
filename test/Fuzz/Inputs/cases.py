"""Steps out of the cases that the tests of ops sweep, on f64."""

import re

import torch

import collect
import conform

# Choices of sizes by three of which an extent is recognized.
PROBES = [dict(M=6, N=4, K=10, B=2), dict(M=17, N=29, K=11, B=5),
          dict(M=13, N=31, K=23, B=7), dict(M=8, N=20, K=4, B=12)]


# PyTorch knows 1/6 to the digits of f32 only.
IMPRECISE = {"hardsigmoid_backward"}

# PyTorch multiplies the gradient by an exponential before it divides by it, and
# so makes an infinity of the largest finite ones. Both are linear in it.
OVERFLOWS = {"softplus_backward"}
SCALE = 2.0 ** -64

# References compute halves in f32. Here everything is f64.
torch.Tensor.float = torch.Tensor.double


def wide(text):
    return text.replace("f32", "f64")


class Template:
    """A case, all of whose f32 are f64."""

    def __init__(self, case):
        self.case = case
        self.args = [(dims, wide(dtype), make)
                     for dims, dtype, make in case.args]
        self.types = [wide(text) for _, text in case.results]
        self.ops = re.findall(r"dtensor\.(\w+)", case.body)
        self.text = self._text(wide(case.body))
        self.reference = self._scaled if OVERFLOWS & set(self.ops) else \
            case.reference
        self.known = None

    def _text(self, body):
        count = len(self.args)
        for i in range(count):
            body = body.replace("$" + conform.NAMES[i].upper(), f"$T{i}")
        body = re.sub(r"\$(\d+)", r"$R\1", body)

        def name(found):
            word = found.group(1)
            if len(word) == 1 and word in conform.NAMES[:count]:
                return f"${conform.NAMES.index(word)}"
            if re.fullmatch(r"r\d+", word):
                return "$" + word
            return f"%c$i_{word}"
        return re.sub(r"%(\w+)", name, body.strip())

    def _scaled(self, grad, *rest):
        return [g / SCALE for g in self.case.reference(grad * SCALE, *rest)]

    def _probe(self, sizes):
        torch.manual_seed(7)
        args = [make(tuple(sizes[d] if isinstance(d, str) else d for d in dims),
                     dtype, sizes) for dims, dtype, make in self.args]
        made = self.reference(*args, **(sizes if self.case.sized else {}))
        return list(made) if isinstance(made, (list, tuple)) else [made]

    def _is_exact(self, made):
        """Does the reference keep the digits of f64?"""
        for value, text in zip(made, self.types):
            if not text.endswith("f64>"):
                continue
            if not value.is_floating_point():
                continue
            if value.dtype != torch.float64:
                return False
            rounded = value.to(torch.float32).double()
            coarse = (value * 4096).round() / 4096
            fine = ~((value == coarse) | value.isnan() | value.isinf())
            if fine.any() and (value == rounded)[fine].all():
                return False
        return True

    def shapes(self):
        """(shape, dtype) of each result; None if the case is of no use."""
        if self.known is None:
            self.known = self._find_shapes() or False
        return self.known or None

    def _find_shapes(self):
        probes = [p for p in PROBES if self.case.when(**p)][:3]
        if len(probes) < 3:
            return None
        try:
            made = [self._probe(p) for p in probes]
        except (RuntimeError, IndexError, ValueError, TypeError):
            return None
        if not all(map(self._is_exact, made)):
            return None
        shapes = []
        for i, text in enumerate(self.types):
            *dims, dtype = text[len("tensor<"):-1].split("x")
            shape = []
            for d, size in enumerate(dims):
                found = [s for s in "BKMN" if all(
                    m[i].shape[d] == p[s] for m, p in zip(made, probes))]
                shape.append(int(size) if size != "?" else
                             found[0] if found else None)
            shapes.append((shape, dtype))
        return shapes


def templates():
    """One for each case, and names of the cases that are left out."""
    found, seen, left_out = [], set(), []
    # What is tested on f64 itself comes first: some references know their type.
    for sweep in sorted(collect.sweeps(),
                        key=lambda s: "f64" not in str(s.case.results)):
        case = sweep.case
        texts = [t for _, t in case.results] + [case.body] + \
            [d for _, d, _ in case.args]
        # A case of f32 stands for those of the other floats.
        text = " ".join(texts)
        if "f16" in text:
            continue
        both = "f32" in text and "f64" in text or \
            bool(IMPRECISE & set(re.findall(r"dtensor\.(\w+)", case.body)))
        key = (wide(case.body), str(case.args and [
            (a[0], wide(a[1])) for a in case.args]), wide(str(case.results)))
        if both or case.scalars or key in seen:
            if both or case.scalars:
                left_out.append(case.name)
            continue
        seen.add(key)
        found.append(Template(case))
    return found, left_out
