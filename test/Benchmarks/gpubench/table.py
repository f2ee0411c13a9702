"""The measured ratios beside what was aimed for.

A row is (workload, shape, what is compared, ours, the other, ratio, must, goal).
Demands are for "ours", one process per GPU as the peers are run; what other ways
of ours measured stands in the lines of JSON only.
`single` is the best peer that compiles once for all T; `expert` is compiled and
captured for each T alone.
"""

SINGLE = ("eager", "compiled", "manual")
DTENSOR = ("eager", "compiled")
EXPERT = ("manual_static",)
BLOCK_GOALS = {16: 0.25, 128: 0.29, 1000: 1.25, 2048: 2.5, 4097: 5.2, 8192: 11.4}


def key(shape):
    return tuple(shape) if isinstance(shape, (list, tuple)) else shape


class Measured:
    def __init__(self, rows):
        self.rows = [r for r in rows if r.get("wall_ms", -1) > 0]

    def best(self, workload, shape, hows):
        """(wall_ms, how) of the fastest, or None."""
        found = [(r["wall_ms"], r["how"]) for r in self.rows
                 if r["workload"] == workload and key(r["shape"]) == shape and
                 (r["how"] in hows or
                  "jax" in hows and r["how"].startswith("jax"))]
        return min(found) if found else None


def compare(measured, mine, name, other, label, must=None, goal=None):
    if not other:
        return None
    return (mine["workload"], mine["shape"], f"{label} ({other[1]})",
            mine["wall_ms"], other[0], mine["wall_ms"] / other[0], must, goal)


def rows_of(measured, mine):
    name, shape = mine["workload"], key(mine["shape"])
    name = name.removesuffix("_merged")
    best = lambda hows, other=name: measured.best(other, shape, hows)
    wall = mine["wall_ms"]
    if name.startswith("llama_block"):
        base = "llama_block_tp"
        yield compare(measured, mine, name, best(SINGLE, base), "single",
                      0.6 if shape in (16, 128) else None)
        yield compare(measured, mine, name, best(EXPERT, base), "expert", 1.05)
        goal = BLOCK_GOALS.get(shape)
        if goal and mine["world"] == 2:
            yield (name, shape, "goal in ms", wall, goal, wall / goal, None, 1)
    elif name in ("mlp_tp", "mlp_sp"):
        yield compare(measured, mine, name, best(SINGLE), "single")
        yield compare(measured, mine, name, best(EXPERT), "expert", 1.05, 0.9)
        if (name, shape) == ("mlp_sp", 4097):
            yield compare(measured, mine, name, best(SINGLE + EXPERT),
                          "best peer", 1.0)
    elif name.startswith("embedding"):
        yield compare(measured, mine, name, best(DTENSOR + ("jax",)),
                      "DTensor or JAX", 0.25)
        yield compare(measured, mine, name, best(EXPERT), "expert", 1.1, 1.0)
    elif name.startswith("vocab_parallel_xent"):
        base = "vocab_parallel_xent"
        yield compare(measured, mine, name, best(DTENSOR, base), "DTensor", 0.6)
        yield compare(measured, mine, name, best(EXPERT, base), "expert", 1.05)
        yield compare(measured, mine, name,
                      measured.best("xent_product", shape, ("cublas",)),
                      "product alone", None, 1.1)
    elif name in ("pointwise_chain", "softmax", "rms_norm"):
        copy = measured.best("copy", "1 GiB", ("d2d",))
        if copy:
            # A bandwidth: the larger the better.
            yield (name, shape, "of copy bandwidth", wall, copy[0],
                   -copy[0] / wall, -0.85, -0.92)


def facts_of(mine):
    """Demands that compare with nothing."""
    name, shape = mine["workload"], mine["shape"]
    later = mine["first_ms"] - mine["wall_ms"]
    yield (name, shape, "first call, ms more", mine["first_ms"],
           mine["wall_ms"], later, 20, None)
    if "second_ms" in mine:
        yield (name, shape, "second call, ms more", mine["second_ms"],
               mine["wall_ms"], mine["second_ms"] - mine["wall_ms"], None, 20)
    yield (name, shape, "host us", mine["wall_ms"], None,
           mine.get("host_us", 0), 30, 5.5)
    is_f32 = name.startswith("embedding")
    bound = 1e-5 if is_f32 else 1.2 * mine.get("peer_err", 0)
    error = mine.get("err", float("nan"))
    yield (name, shape, "error, of the bound", error, bound,
           error / bound if bound else error, 1, None)
    if not mine.get("same_bits"):
        yield (name, shape, "bits differ", None, None, 1, 0, None)


def verdict(value, must, goal):
    if value != value or must is not None and value > must:
        return "MISS"
    if goal is not None and value > goal:
        return "ok, goal missed" if must is not None else "goal missed"
    return "ok" if must is not None or goal is not None else ""


def number(value):
    return "" if value is None else f"{abs(value):.4g}"


def table(rows):
    """The text of the table, and how many demands are missed."""
    measured, lines, missed = Measured(rows), [], 0
    compared, facts = [], []
    for mine in rows:
        if mine["how"] != "ours":
            continue
        if "error" in mine:
            lines.append(f"{mine['workload']} {mine['shape']}: "
                         f"{mine['error']}")
            missed += 1
            continue
        if mine["workload"].startswith("compile"):
            compared.append((mine["workload"], "", "seconds",
                             mine["wall_ms"] / 1e3, None,
                             mine["wall_ms"] / 1e3, mine["must"], mine["goal"]))
            continue
        compared += [row for row in rows_of(measured, mine) if row]
        facts += facts_of(mine)
    head = ("workload", "shape", "against", "ours", "other", "ratio", "must",
            "goal", "")
    body = []
    for row in compared + facts:
        said = verdict(row[5], row[6], row[7])
        missed += said == "MISS"
        body.append((row[0], str(row[1]), row[2], *map(number, row[3:8]), said))
    widths = [max(len(r[i]) for r in [head] + body) for i in range(len(head))]
    for row in [head] + body:
        lines.append("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip())
    return "\n".join(lines), missed
