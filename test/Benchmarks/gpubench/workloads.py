"""What is measured: the programs of ../programs, the shapes they run at, and
what they compute, for any element type, in PyTorch.

A reference takes the global arguments, the element type to compute in and the
number of parts that a contraction is cut into. With float64 it is the truth;
with bfloat16 it rounds as a hand-partitioned PyTorch program does.
"""

import torch
import torch.nn.functional as F

TOKENS = [16, 128, 1000, 2048, 4097, 8192]
HIDDEN, INNER, HEADS, KV_HEADS, WIDTH = 8192, 28672, 64, 8, 128
WORDS, FEATURES = 202048, 256
VOCABULARY, MODEL = 128256, 4096
GIB_ELEMENTS = (1 << 30) // 2


def product(a, w, dtype, parts=1):
    """a @ w, summed over `parts` pieces of the contraction."""
    total = 0
    for left, right in zip(a.chunk(parts, -1), w.chunk(parts, 0)):
        total = total + left @ right.to(dtype)
    return total


def gated(x, wgate, wup, wdown, dtype, parts):
    inner = F.silu(product(x, wgate, dtype)) * product(x, wup, dtype)
    return product(inner, wdown, dtype, parts)


def mlp(args, dtype, parts):
    x, wgate, wup, wdown = args
    return [gated(x.to(dtype), wgate, wup, wdown, dtype, parts)]


def mlp_merged(args, dtype, parts):
    x, both, wdown = args
    return mlp([x, both[:, 0], both[:, 1], wdown], dtype, parts)


def causal(q, k, v):
    """q [heads, T, width], k and v [kv heads, T, width]."""
    if q.dtype != torch.float64:
        return F.scaled_dot_product_attention(
            q[None], k[None], v[None], is_causal=True, enable_gqa=True)[0]
    length, group = q.shape[1], q.shape[0] // k.shape[0]
    mask = torch.ones(length, length, dtype=torch.bool, device=q.device).tril()
    heads = []
    for i in range(q.shape[0]):
        scores = q[i] @ k[i // group].T * q.shape[2] ** -0.5
        scores = scores.masked_fill(~mask, float("-inf"))
        heads.append(scores.softmax(-1) @ v[i // group])
    return torch.stack(heads)


def block(args, dtype, parts):
    x, norm1, norm2, wq, wk, wv, wo, wgate, wup, wdown = args
    x = x.to(dtype)

    def norm(t, w):
        return F.rms_norm(t, (HIDDEN,), w.to(dtype), 1e-5)

    def heads(t):
        return t.view(len(x), -1, WIDTH).transpose(0, 1)

    h = norm(x, norm1)
    q, k, v = (heads(product(h, w, dtype)) for w in (wq, wk, wv))
    mixed = causal(q, k, v).transpose(0, 1).reshape(len(x), HEADS * WIDTH)
    x = x + product(mixed, wo, dtype, parts)
    return [x + gated(norm(x, norm2), wgate, wup, wdown, dtype, parts)]


def block_merged(args, dtype, parts):
    x, norm1, norm2, heads, wo, both, wdown = args
    wq, wk, wv = (w.reshape(HIDDEN, -1) for w in
                  heads.split([HEADS // KV_HEADS, 1, 1], 2))
    return block([x, norm1, norm2, wq, wk, wv, wo, both[:, 0], both[:, 1],
                  wdown], dtype, parts)


def embedding(args, dtype, parts):
    ids, table = args
    return [F.embedding(ids, table).to(dtype)]


def cross_entropy(args, dtype, parts):
    x, labels, weight = args
    logits = product(x.to(dtype), weight, dtype)
    wide = dtype if dtype == torch.float64 else torch.float32
    return [F.cross_entropy(logits.to(wide), labels)]


def pointwise_chain(args, dtype, parts):
    x = args[0].to(dtype)
    return [F.silu(x * 2 + 1) * x]


def softmax(args, dtype, parts):
    return [args[0].to(dtype).softmax(-1)]


def rms_norm(args, dtype, parts):
    x, weight = args
    return [F.rms_norm(x.to(dtype), (x.shape[1],), weight.to(dtype), 1e-5)]


class Workload:
    """`args(shape)` lists (global shape, kind) with kinds x, weight, norm, ids;
    the first `per_call` of them change with the shape, the rest are weights."""

    def __init__(self, name, program, shapes, args, reference, per_call=1,
                 mesh=None, entry=None):
        self.name, self.program, self.shapes = name, program, shapes
        self.args, self.reference, self.per_call = args, reference, per_call
        self.mesh = mesh or (lambda world: {"tp": world})
        self.entry = entry or name


def mlp_args(tokens):
    return [((tokens, HIDDEN), "x"), ((HIDDEN, INNER), "weight"),
            ((HIDDEN, INNER), "weight"), ((INNER, HIDDEN), "weight")]


def block_args(tokens):
    keys = KV_HEADS * WIDTH
    return [((tokens, HIDDEN), "x"), ((HIDDEN,), "norm"), ((HIDDEN,), "norm"),
            ((HIDDEN, HIDDEN), "weight"), ((HIDDEN, keys), "weight"),
            ((HIDDEN, keys), "weight"), ((HIDDEN, HIDDEN), "weight"),
            ((HIDDEN, INNER), "weight"), ((HIDDEN, INNER), "weight"),
            ((INNER, HIDDEN), "weight")]


def mlp_merged_args(tokens):
    return [((tokens, HIDDEN), "x"), ((HIDDEN, 2, INNER), "weight"),
            ((INNER, HIDDEN), "weight")]


def block_merged_args(tokens):
    heads = (HIDDEN, KV_HEADS, HEADS // KV_HEADS + 2, WIDTH)
    return [((tokens, HIDDEN), "x"), ((HIDDEN,), "norm"), ((HIDDEN,), "norm"),
            (heads, "weight"), ((HIDDEN, HIDDEN), "weight"),
            ((HIDDEN, 2, INNER), "weight"), ((INNER, HIDDEN), "weight")]


def embedding_args(shape):
    return [(shape, ("ids", WORDS)), ((WORDS, FEATURES), "table")]


def cross_entropy_args(tokens):
    return [((tokens, MODEL), "x"), ((tokens,), ("ids", VOCABULARY)),
            ((MODEL, VOCABULARY), "weight")]


def rows_args(length):
    return [((GIB_ELEMENTS // length, length), "x")]


def all_workloads():
    one = lambda world: {"tp": 1}
    found = [
        Workload("llama_block_tp", "llama_block_tp", TOKENS, block_args, block),
        Workload("llama_block_tp_merged", "llama_block_tp_merged", TOKENS,
                 block_merged_args, block_merged),
        Workload("llama_block_sp", "llama_block_sp", TOKENS, block_args, block),
        Workload("mlp_tp", "mlp", TOKENS, mlp_args, mlp),
        Workload("mlp_tp_merged", "mlp_merged", [16, 128], mlp_merged_args,
                 mlp_merged),
        Workload("mlp_sp", "mlp", TOKENS, mlp_args, mlp),
        Workload("vocab_parallel_xent", "cross_entropy", [128, 1000, 4097],
                 cross_entropy_args, cross_entropy, per_call=2),
        Workload("vocab_parallel_xent_pieces", "cross_entropy",
                 [128, 1000, 4097], cross_entropy_args, cross_entropy,
                 per_call=2),
    ]
    for name in ("replicate", "vocab", "dim"):
        found.append(Workload(
            "embedding_" + name, "embedding",
            [(2, 512), (3, 511), (8, 1024), (1, 77)], embedding_args,
            embedding))
    for name, function in (("pointwise_chain", pointwise_chain),
                           ("softmax", softmax)):
        found.append(Workload(name, "rows", [128, 8192, 128256], rows_args,
                              function, mesh=one))
    found.append(Workload(
        "rms_norm", "rows", [128, 8192, 128256],
        lambda n: rows_args(n) + [((n,), "norm")], rms_norm, per_call=2,
        mesh=one))
    for name, data in (("mlp_data_x_1", None), ("mlp_1_x_tp", 1)):
        found.append(Workload(
            name, "mlp_2d", [1001, 4097], mlp_args, mlp, entry="mlp_2d",
            mesh=lambda world, data=data: {"data": data or world,
                                           "tp": world if data else 1}))
    found.append(Workload("mlp_one_gpu", "mlp", [17, 1000], mlp_args, mlp,
                          mesh=one, entry="mlp_tp"))
    return found


def make_tensor(shape, kind, device):
    """Random, of unit size after a product with a weight."""
    if isinstance(kind, tuple):
        return torch.randint(0, kind[1], shape, device=device)
    if kind == "table":
        return torch.rand(shape, device=device)
    values = torch.randn(shape, device=device, dtype=torch.bfloat16)
    if kind == "weight":
        values *= shape[0] ** -0.5
    if kind == "norm":
        values = values * 0.1 + 1
    return values
