//===- Collective.cpp - one collective as data ------------------*- C++ -*-===//
//
// Let p be the executing member, q run over the group, o_p its offset.
//
//   all_gather       dst_p = [src_0, src_1, ...] along dim
//   all_reduce       every dst [chunk p] = kind_q src_q[chunk p], where the
//                    chunks partition the largest dimension: each element is
//                    computed once, hence equal everywhere
//   reduce_scatter   dst_p = kind_q src_q[o_p : o_p + size_p]
//   all_to_all       dst_p = [src_q[o_p : o_p + size_p] along splitDim]_q
//                    along dim
//   permute          dst_p = src_source
//
//===----------------------------------------------------------------------===//

#include "Collective.h"

#include "Error.h"

#include <algorithm>

using namespace dtensor::rt;

using Calls = std::vector<const Collective *>;

namespace {

const char *reduceName(Reduce kind) {
  static const char *const names[] = {"sum", "max", "min", "product"};
  return names[static_cast<int32_t>(kind)];
}

bool reduces(CollectiveKind kind) {
  return kind == CollectiveKind::AllReduce ||
         kind == CollectiveKind::ReduceScatter;
}

bool hasDim(CollectiveKind kind) {
  return kind == CollectiveKind::AllGather ||
         kind == CollectiveKind::ReduceScatter ||
         kind == CollectiveKind::AllToAll;
}

template <typename... Ts>
[[noreturn]] void fail(const Ts &...parts) {
  raise(DTENSOR_RT_RUN_FAILED, parts...);
}

void checkDim(const Collective &call, const char *what, int64_t dim) {
  if (dim < 0 || dim >= call.src.rank)
    fail(describe(call), ": ", what, " ", dim, " is not a dimension of a ",
         call.src.rank, "-d tensor");
}

/// True when the sizes of `a` and `b` agree, but for two dimensions.
bool sameShape(const View &a, const View &b, int64_t except = -1,
               int64_t except2 = -1) {
  for (int64_t d = 0; d < a.rank; ++d)
    if (d != except && d != except2 && a.sizes[d] != b.sizes[d])
      return false;
  return a.rank == b.rank;
}

/// The pair of calls being compared, for messages.
struct Pair {
  const Collective &a, &b;
  int64_t rankA, rankB;

  [[noreturn]] void mismatch() const {
    fail("mismatched collectives: rank ", rankA, " joins ", describe(a),
         " while rank ", rankB, " joins ", describe(b));
  }
  [[noreturn]] void shape(const char *why) const {
    fail(describe(b), " of rank ", rankB, ": ", why, " (result ",
         a.dst.shapeString(), " of rank ", rankA, ")");
  }
};

/// Same operation on the same kind of data.
void checkSameOperation(const Pair &pair) {
  const Collective &a = pair.a, &b = pair.b;
  bool same = a.kind == b.kind && a.src.dtype == b.src.dtype &&
              a.src.rank == b.src.rank && a.dim == b.dim &&
              a.splitDim == b.splitDim && a.unit == b.unit &&
              a.splitUnit == b.splitUnit && a.reduce == b.reduce;
  if (!same)
    pair.mismatch();
}

/// The source of b as member p = a needs it.
void checkSource(const Pair &pair) {
  const Collective &p = pair.a, &q = pair.b;
  switch (p.kind) {
  case CollectiveKind::AllGather:
    if (!sameShape(q.src, p.dst, p.dim))
      pair.shape("its shape differs outside the gathered dimension");
    return;
  case CollectiveKind::AllReduce:
    if (!sameShape(q.src, p.dst))
      pair.shape("its shape differs from the result");
    return;
  case CollectiveKind::ReduceScatter:
    if (!sameShape(q.src, p.dst, p.dim))
      pair.shape("its shape differs outside the scattered dimension");
    if (p.offset + p.dst.sizes[p.dim] > q.src.sizes[p.dim])
      pair.shape("the part asked for lies outside of it");
    return;
  case CollectiveKind::AllToAll:
    if (!sameShape(q.src, p.dst, p.dim, p.splitDim))
      pair.shape("its shape differs outside the exchanged dimensions");
    if (p.offset + p.dst.sizes[p.splitDim] > q.src.sizes[p.splitDim])
      pair.shape("the part asked for lies outside of it");
    return;
  case CollectiveKind::CollectivePermute:
    return;
  }
}

/// What concerns one member and all sources at once.
void checkTotals(const Calls &calls, const std::vector<int64_t> &members,
                 size_t p) {
  const Collective &call = *calls[p];
  if (call.kind == CollectiveKind::CollectivePermute) {
    int64_t count = static_cast<int64_t>(calls.size());
    if (call.source < 0 || call.source >= count)
      fail(describe(call), " of rank ", members[p], ": source ", call.source,
           " is not a position in a group of ", count);
    const Collective &source = *calls[call.source];
    if (!sameShape(source.src, call.dst))
      Pair{call, source, members[p], members[call.source]}.shape(
          "its shape differs from the result");
    return;
  }
  if (call.kind != CollectiveKind::AllGather &&
      call.kind != CollectiveKind::AllToAll)
    return;
  int64_t total = 0;
  for (const Collective *other : calls)
    total += other->src.sizes[call.dim];
  if (total != call.dst.sizes[call.dim])
    fail(describe(call), " of rank ", members[p], ": the pieces have ", total,
         " elements along dimension ", call.dim, ", the result ",
         call.dst.sizes[call.dim]);
}

void concatenate(const Calls &calls, const Collective &call, bool split) {
  int64_t at = 0;
  for (const Collective *other : calls) {
    View piece = other->src;
    if (split)
      piece = piece.slice(call.splitDim, call.offset,
                          call.dst.sizes[call.splitDim]);
    int64_t size = piece.sizes[call.dim];
    copy(call.dst.slice(call.dim, at, size), piece);
    at += size;
  }
}

/// Chunk `position` of `count` of a view, along `dim`.
View chunk(const View &view, int64_t dim, int64_t position, int64_t count) {
  if (view.rank == 0)
    return view;
  int64_t begin = view.sizes[dim] * position / count;
  int64_t end = view.sizes[dim] * (position + 1) / count;
  return view.slice(dim, begin, end - begin);
}

void allReduce(const Calls &calls, int64_t position) {
  const View &shape = calls[position]->dst;
  int64_t count = static_cast<int64_t>(calls.size());
  if (shape.rank == 0 && position != 0)
    return; // a scalar is one chunk
  int64_t dim =
      std::max_element(shape.sizes, shape.sizes + shape.rank) - shape.sizes;
  std::vector<View> sources, destinations;
  for (const Collective *call : calls) {
    sources.push_back(chunk(call->src, dim, position, count));
    destinations.push_back(chunk(call->dst, dim, position, count));
  }
  reduce(sources.data(), count, destinations.data(), count,
         calls[position]->reduce);
}

void reduceScatter(const Calls &calls, const Collective &call) {
  std::vector<View> sources;
  for (const Collective *other : calls)
    sources.push_back(
        other->src.slice(call.dim, call.offset, call.dst.sizes[call.dim]));
  reduce(sources.data(), static_cast<int64_t>(sources.size()), &call.dst, 1,
         call.reduce);
}

} // namespace

std::string dtensor::rt::describe(const Collective &call) {
  std::string text =
      dtensor_rt_collective_name(static_cast<int32_t>(call.kind));
  text += "(";
  if (reduces(call.kind))
    text += std::string(reduceName(call.reduce)) + ", ";
  text += dtensor_rt_dtype_name(call.src.dtype);
  text += ", " + call.src.shapeString();
  if (hasDim(call.kind))
    text += ", dim " + std::to_string(call.dim);
  if (call.kind == CollectiveKind::AllToAll)
    text += ", split " + std::to_string(call.splitDim);
  return text + ")";
}

void dtensor::rt::checkAlone(const Collective &call) {
  if (hasDim(call.kind))
    checkDim(call, "dim", call.dim);
  if (call.kind == CollectiveKind::AllToAll) {
    checkDim(call, "split dim", call.splitDim);
    if (call.dim == call.splitDim)
      fail(describe(call), ": dimension ", call.dim,
           " is gathered and split at once");
  }
  if (call.unit < 0 || call.splitUnit < 0)
    fail(describe(call), ": unit ", std::min(call.unit, call.splitUnit),
         " is negative");
  if (call.offset < 0)
    fail(describe(call), ": offset ", call.offset, " is negative");
  for (int64_t d = 0; d < call.src.rank; ++d)
    if (call.src.sizes[d] < 0 || call.dst.sizes[d] < 0)
      fail(describe(call), ": negative extent in dimension ", d);
}

void dtensor::rt::checkTogether(const Calls &calls,
                                const std::vector<int64_t> &members) {
  for (size_t q = 1; q < calls.size(); ++q)
    checkSameOperation({*calls[0], *calls[q], members[0], members[q]});
  for (size_t p = 0; p < calls.size(); ++p) {
    for (size_t q = 0; q < calls.size(); ++q)
      checkSource({*calls[p], *calls[q], members[p], members[q]});
    checkTotals(calls, members, p);
  }
}

void dtensor::rt::execute(const Calls &calls, int64_t position) {
  const Collective &call = *calls[position];
  switch (call.kind) {
  case CollectiveKind::AllGather:
    return concatenate(calls, call, /*split=*/false);
  case CollectiveKind::AllReduce:
    return allReduce(calls, position);
  case CollectiveKind::ReduceScatter:
    return reduceScatter(calls, call);
  case CollectiveKind::AllToAll:
    return concatenate(calls, call, /*split=*/true);
  case CollectiveKind::CollectivePermute:
    return copy(call.dst, calls[call.source]->src);
  }
}

View dtensor::rt::ownPart(const Collective &call) {
  if (call.kind == CollectiveKind::ReduceScatter)
    return call.src.slice(call.dim, call.offset, call.dst.sizes[call.dim]);
  if (call.kind == CollectiveKind::AllToAll)
    return call.src.slice(call.splitDim, call.offset,
                          call.dst.sizes[call.splitDim]);
  return call.src;
}

int64_t dtensor::rt::receivedBytes(const Collective &call, int64_t position,
                                   int64_t groupSize) {
  int64_t input = call.src.numBytes(), output = call.dst.numBytes();
  switch (call.kind) {
  case CollectiveKind::AllGather:
    return output - input;
  case CollectiveKind::AllReduce:
    return 2 * output * (groupSize - 1) / groupSize;
  case CollectiveKind::ReduceScatter:
    return input * (groupSize - 1) / groupSize;
  case CollectiveKind::AllToAll:
    return output - ownPart(call).numBytes();
  case CollectiveKind::CollectivePermute:
    return call.source == position ? 0 : output;
  }
  return 0;
}
