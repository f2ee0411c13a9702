"""A program of many unrolled blocks, from the program of one."""

import re


def unroll(text, count):
    """`count` blocks one after the other, each with weights of its own."""
    start = text.index("func.func")
    head, function = text[:start], text[start:]
    signature, body = function.split("} {\n", 1)
    args = re.findall(r"(%\w+): (\S+) (\{dtensor\.layout = #\w+\})", signature)
    result = re.search(r"->\s*\((.*?)\)\s*attributes", signature, re.S).group(1)
    steps, last = body[:body.index("  return")], re.search(
        r"return (%\w+) : (\S+)", body)
    new_args, new_body, value = [args[0]], "", args[0][0]
    for layer in range(count):
        names = {n for n, _, _ in args[1:]} | set(
            re.findall(r"^\s*(%\w+) =", steps, re.M))

        def rename(match, layer=layer, value=value, names=names):
            name = match.group(0)
            if name == args[0][0]:
                return value
            return f"%l{layer}_{name[1:]}" if name in names else name

        new_args += [(f"%l{layer}_{n[1:]}", t, a) for n, t, a in args[1:]]
        new_body += re.sub(r"%\w+", rename, steps)
        value = f"%l{layer}_{last.group(1)[1:]}"
    listed = ",\n    ".join(f"{n}: {t} {a}" for n, t, a in new_args)
    attributes = signature[signature.index("attributes"):]
    return (f"{head}func.func @layers({listed})\n    -> ({result})\n"
            f"    {attributes}}} {{\n{new_body}  return {value} : "
            f"{last.group(2)}\n}}\n")
