# REQUIRES: python
# RUN: env PYTHONPATH=%src/python %python %s
"""What the package offers has types, and says that it has them."""

import inspect
import os

import dtensor_mlir
import dtensor_mlir.frontend


def untyped(owner, name, function):
    signature = inspect.signature(function)
    missing = [p.name for p in signature.parameters.values()
               if p.annotation is p.empty and p.name not in ("self", "cls")]
    if name != "__init__" and signature.return_annotation is signature.empty:
        missing.append("return")
    return [f"{owner}{name}: {part}" for part in missing]


def missing_types(thing, name):
    if not inspect.isclass(thing):
        return untyped("", name, thing) if callable(thing) else []
    found = []
    for method, function in vars(thing).items():
        is_public = not method.startswith("_") or method in ("__init__",
                                                             "__call__")
        function = function.fget if isinstance(function, property) else function
        if is_public and inspect.isfunction(function):
            found += untyped(name + ".", method, function)
    return found


missing = []
for module in (dtensor_mlir, dtensor_mlir.frontend):
    folder = os.path.dirname(dtensor_mlir.__file__)
    assert os.path.exists(os.path.join(folder, "py.typed"))
    for name in module.__all__:
        missing += missing_types(getattr(module, name), name)
assert not missing, "\n".join(missing)
