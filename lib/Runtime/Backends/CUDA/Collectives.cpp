//===- Collectives.cpp - collectives through NCCL ---------------*- C++ -*-===//

#include "Collectives.h"

#include "../../Core/Error.h"

#include <algorithm>
#include <optional>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

namespace {

/// How NCCL reduces elements of a type: at once, or converted.
struct ReducePlan {
  int type;
  int op;
  int64_t wideBytes; // 0: no conversion
  std::string encode, decode;
};

int ncclOp(Reduce kind) {
  switch (kind) {
  case Reduce::Sum:
    return kNcclSum;
  case Reduce::Product:
    return kNcclProd;
  case Reduce::Max:
    return kNcclMax;
  case Reduce::Min:
    return kNcclMin;
  }
  return kNcclSum;
}

ReducePlan convertPlan(int type, Reduce kind, int64_t bytes,
                       const std::string &name) {
  const char *encode =
      kind == Reduce::Min ? "dtensor_encode_min_" : "dtensor_encode_max_";
  return {type, ncclOp(kind), bytes, encode + name, "dtensor_decode_" + name};
}

ReducePlan planReduce(int32_t dtype, Reduce kind) {
  bool isOrder = kind == Reduce::Max || kind == Reduce::Min;
  switch (dtype) {
  case DTENSOR_RT_f64:
    if (isOrder)
      return convertPlan(kNcclInt64, kind, 8, "f64");
    return {kNcclFloat64, ncclOp(kind), 0, "", ""};
  case DTENSOR_RT_f32:
    if (isOrder)
      return convertPlan(kNcclInt32, kind, 4, "f32");
    return {kNcclFloat32, ncclOp(kind), 0, "", ""};
  case DTENSOR_RT_f16:
    if (isOrder)
      return convertPlan(kNcclInt32, kind, 4, "f16");
    if (kind == Reduce::Product)
      return convertPlan(kNcclFloat32, kind, 4, "half32");
    return {kNcclFloat16, ncclOp(kind), 0, "", ""};
  case DTENSOR_RT_bf16:
    if (isOrder)
      return convertPlan(kNcclInt32, kind, 4, "bf16");
    if (kind == Reduce::Product)
      return convertPlan(kNcclFloat32, kind, 4, "bhalf32");
    return {kNcclBfloat16, ncclOp(kind), 0, "", ""};
  case DTENSOR_RT_i64:
  case DTENSOR_RT_index:
    return {kNcclInt64, ncclOp(kind), 0, "", ""};
  case DTENSOR_RT_i32:
    return {kNcclInt32, ncclOp(kind), 0, "", ""};
  case DTENSOR_RT_i16:
    return convertPlan(kNcclInt32, kind, 4, "i16");
  case DTENSOR_RT_i8:
    return {kNcclInt8, ncclOp(kind), 0, "", ""};
  default: // i1: sum and max are `or`, product and min are `and`
    return {kNcclUint8,
            kind == Reduce::Sum || kind == Reduce::Max ? kNcclMax : kNcclMin, 0,
            "", ""};
  }
}

int64_t largest(const std::vector<Piece> &pieces) {
  int64_t size = 0;
  for (const Piece &piece : pieces)
    size = std::max(size, piece.size);
  return size;
}

/// Pieces in group order, as long as the largest one but for the last ones.
bool areSlots(const std::vector<Piece> &pieces, int64_t extent) {
  int64_t slot = largest(pieces);
  for (size_t q = 0; q < pieces.size(); ++q)
    if (pieces[q].offset != std::min(extent, static_cast<int64_t>(q) * slot))
      return false;
  return true;
}

/// Of the largest piece.
int64_t slotBytes(const View &whole, int64_t dim,
                  const std::vector<Piece> &pieces) {
  return whole.numBytes() / whole.sizes[dim] * largest(pieces);
}

bool areEqual(const std::vector<Piece> &pieces) {
  return std::all_of(pieces.begin(), pieces.end(), [&](const Piece &piece) {
    return piece.size == pieces[0].size;
  });
}

class CollectiveRun {
public:
  CollectiveRun(Gpu &gpu, Peers *peers, NcclComm comm, const Mesh &mesh,
                const Group &group, const Collective &call)
      : gpu(gpu), peers(peers), comm(comm), mesh(mesh), group(group),
        call(call), n(group.size()), me(group.position) {}

  void allReduce();
  void allGather();
  void reduceScatter();
  void allToAll();
  void permute();

private:
  using Pieces = std::vector<Piece>;

  std::string who() const { return describe(call); }
  void ok(NcclResult result) const {
    if (result != 0)
      checkNccl(result, who().c_str());
  }
  size_t bytesOf(const View &view) const {
    return static_cast<size_t>(view.numBytes());
  }

  Pieces cut(int64_t extent, int64_t unit) const {
    return cutPieces(mesh, group.axes, extent, unit);
  }
  /// The pieces along `dim` of a packed view lie one after the other.
  static bool areConsecutive(const View &view, int64_t dim) {
    for (int64_t d = 0; d < dim; ++d)
      if (view.sizes[d] != 1)
        return false;
    return view.isRowMajor();
  }
  bool isDirectScatter(const Pieces &pieces, int64_t slotBytes) const;
  void checkPiece(const Piece &piece, int64_t size, const char *what) const {
    if (piece.size != size)
      raise(DTENSOR_RT_RUN_FAILED, who(), ": ", what, " of this rank has ",
            size, " elements, the group cuts ", piece.size);
  }

  /// `view` itself when it is packed, else a temporary with its contents.
  View packed(const View &view, std::optional<Scratch> &scratch,
              bool withContents = true) {
    if (view.isRowMajor())
      return view;
    scratch.emplace(gpu, view.numBytes());
    View copy = rowMajorView(scratch->get(), view.dtype, view.rank, view.sizes);
    if (withContents)
      gpu.copy(copy, view);
    return copy;
  }

  /// dst = reduction, both packed with `count` elements. `reduce(src, dst,
  /// type, op)` does it.
  template <typename Fn>
  void reducePacked(const View &src, const View &dst, int64_t srcCount,
                    int64_t dstCount, Fn reduce);

  void gatherSlots(char *all, const View &src, const Pieces &pieces);
  /// False: they cannot go this way.
  bool gatherRows(const View &src, const Pieces &pieces);

  /// Pieces to send to and receive from each member, in group order; null
  /// bytes are left out on both sides.
  void exchange(const std::vector<View> &from, const std::vector<View> &to);

  Gpu &gpu;
  Peers *peers; // null: NCCL
  NcclComm comm;
  const Mesh &mesh;
  const Group &group;
  const Collective &call;
  int64_t n, me;
};

template <typename Fn>
void CollectiveRun::reducePacked(const View &src, const View &dst,
                                 int64_t srcCount, int64_t dstCount,
                                 Fn reduce) {
  if (srcCount == 0)
    return;
  ReducePlan plan = planReduce(src.dtype, call.reduce);
  if (plan.wideBytes == 0)
    return ok(reduce(src.base, dst.base, plan.type, plan.op));
  Scratch wide(gpu, srcCount * plan.wideBytes);
  gpu.convert(plan.encode.c_str(), wide.get(), src.base, srcCount);
  Scratch result(gpu, dstCount * plan.wideBytes);
  ok(reduce(wide.get(), result.get(), plan.type, plan.op));
  gpu.convert(plan.decode.c_str(), dst.base, result.get(), dstCount);
}

void CollectiveRun::allReduce() {
  std::optional<Scratch> from, to;
  View src = packed(call.src, from);
  View dst = packed(call.dst, to, /*withContents=*/false);
  int64_t count = src.numElements();
  if (peers)
    peers->allReduce({dst.base, dst.numBytes(), src.base, src.numBytes()},
                     src.dtype, call.reduce);
  else
    reducePacked(
        src, dst, count, count, [&](void *in, void *out, int type, int op) {
          return getNccl().allReduce(in, out, static_cast<size_t>(count), type,
                                     op, comm, gpu.getStream());
        });
  if (dst.base != call.dst.base)
    gpu.copy(call.dst, dst);
}

void CollectiveRun::exchange(const std::vector<View> &from,
                             const std::vector<View> &to) {
  const Nccl &nccl = getNccl();
  if (to[me].numBytes() != 0 && to[me].base != from[me].base)
    gpu.copy(to[me], from[me]);
  ok(nccl.groupStart());
  NcclResult result = 0;
  auto note = [&](NcclResult next) { result = result ? result : next; };
  for (int64_t q = 0; q < n; ++q) {
    if (q == me)
      continue;
    auto peer = static_cast<int>(q);
    if (size_t bytes = bytesOf(from[q]))
      note(nccl.send(from[q].base, bytes, kNcclInt8, peer, comm,
                     gpu.getStream()));
    if (size_t bytes = bytesOf(to[q]))
      note(
          nccl.recv(to[q].base, bytes, kNcclInt8, peer, comm, gpu.getStream()));
  }
  NcclResult end = nccl.groupEnd();
  ok(result ? result : end);
}

/// Members' messages one after the other.
void CollectiveRun::gatherSlots(char *all, const View &src,
                                const Pieces &pieces) {
  int64_t bytes = slotBytes(call.dst, call.dim, pieces);
  peers->allGather({all, call.dst.numBytes(), src.base, src.numBytes()}, bytes,
                   {bytes, 0});
}

/// Rows of equal pieces straight to where they lie beside each other.
bool CollectiveRun::gatherRows(const View &src, const Pieces &pieces) {
  const View &dst = call.dst;
  int64_t rows = 1, bytes = src.numBytes();
  for (int64_t d = 0; d < call.dim; ++d)
    rows *= dst.sizes[d];
  if (rows == 1 || !dst.isRowMajor() || !areEqual(pieces) ||
      !Peers::mayLieApart(bytes / rows, bytes))
    return false;
  peers->allGather({dst.base, dst.numBytes(), src.base, bytes}, bytes,
                   {bytes / rows, dst.numBytes() / rows});
  return true;
}

void CollectiveRun::allGather() {
  int64_t dim = call.dim;
  Pieces pieces = cut(call.dst.sizes[dim], call.unit);
  checkPiece(pieces[me], call.src.sizes[dim], "the piece");
  if (call.dst.numElements() == 0)
    return;
  std::optional<Scratch> from, to;
  View src = packed(call.src, from);
  if (peers && gatherRows(src, pieces))
    return;
  bool isDirect = areConsecutive(call.dst, dim);
  // Straight into the result where its pieces are packed.
  if (!isDirect)
    to.emplace(gpu, call.dst.numBytes());
  char *all = isDirect ? call.dst.base : to->get();
  std::vector<View> targets;
  char *at = isDirect ? nullptr : to->get();
  for (int64_t q = 0; q < n; ++q) {
    View piece = call.dst.slice(dim, pieces[q].offset, pieces[q].size);
    if (!isDirect) {
      piece = rowMajorView(at, piece.dtype, piece.rank, piece.sizes);
      at += piece.numBytes();
    }
    targets.push_back(piece);
  }
  if (peers)
    gatherSlots(all, src, pieces);
  else if (areEqual(pieces))
    ok(getNccl().allGather(src.base, all, bytesOf(src), kNcclInt8, comm,
                           gpu.getStream()));
  else
    exchange(std::vector<View>(n, src), targets);
  for (int64_t q = 0; !isDirect && q < n; ++q)
    gpu.copy(call.dst.slice(dim, pieces[q].offset, pieces[q].size), targets[q]);
}

/// The slots of the members follow each other in the source itself, and what
/// the last ones lack may be read, whatever it is: it lands behind the results.
/// Peers stay within the buffers.
bool CollectiveRun::isDirectScatter(const Pieces &pieces,
                                    int64_t slotBytes) const {
  if (!areConsecutive(call.src, call.dim) ||
      !areSlots(pieces, call.src.sizes[call.dim]))
    return false;
  int64_t needed = n * slotBytes;
  return peers || needed == call.src.numBytes() ||
         gpu.readableFrom(call.src.base) >= needed;
}

void CollectiveRun::reduceScatter() {
  int64_t dim = call.dim;
  Pieces pieces = cut(call.src.sizes[dim], call.unit);
  checkPiece(pieces[me], call.dst.sizes[dim], "the piece");
  checkPiece({0, pieces[me].offset}, call.offset, "the offset");
  if (call.src.numElements() == 0)
    return;
  std::optional<Scratch> from, to;
  // One slot of equal size per member.
  View slot = call.src.slice(dim, 0, largest(pieces));
  int64_t count = slot.numElements(), bytes = slot.numBytes();
  int64_t srcBytes = call.src.numBytes();
  View src = call.src, dst = call.dst;
  if (!isDirectScatter(pieces, bytes)) {
    srcBytes = n * bytes;
    from.emplace(gpu, srcBytes);
    src.base = from->get();
    for (int64_t q = 0; q < n; ++q) {
      View piece = call.src.slice(dim, pieces[q].offset, pieces[q].size);
      gpu.copy(rowMajorView(from->get() + q * bytes, piece.dtype, piece.rank,
                            piece.sizes),
               piece);
    }
  }
  bool isWhole =
      dst.isRowMajor() && (peers || dst.numElements() == count ||
                           gpu.writableAt(dst.base, dst.numBytes()) >= bytes);
  if (!isWhole) {
    to.emplace(gpu, bytes);
    dst.base = to->get();
  }
  if (peers)
    peers->reduceScatter(
        {dst.base, isWhole ? dst.numBytes() : bytes, src.base, srcBytes}, bytes,
        src.dtype, call.reduce);
  else
    reducePacked(
        src, dst, n * count, count, [&](void *in, void *out, int type, int op) {
          return getNccl().reduceScatter(in, out, static_cast<size_t>(count),
                                         type, op, comm, gpu.getStream());
        });
  if (!isWhole)
    gpu.copy(call.dst, rowMajorView(to->get(), call.dst.dtype, call.dst.rank,
                                    call.dst.sizes));
}

void CollectiveRun::allToAll() {
  Pieces gathered = cut(call.dst.sizes[call.dim], call.unit);
  Pieces split = cut(call.src.sizes[call.splitDim], call.splitUnit);
  checkPiece(gathered[me], call.src.sizes[call.dim], "the piece");
  checkPiece(split[me], call.dst.sizes[call.splitDim], "the result's piece");
  checkPiece({0, split[me].offset}, call.offset, "the offset");
  bool packSource = !areConsecutive(call.src, call.splitDim);
  bool packResult = !areConsecutive(call.dst, call.dim);
  std::optional<Scratch> from, to;
  if (packSource)
    from.emplace(gpu, call.src.numBytes());
  if (packResult)
    to.emplace(gpu, call.dst.numBytes());
  std::vector<View> sources, targets, results;
  char *fromAt = packSource ? from->get() : nullptr;
  char *toAt = packResult ? to->get() : nullptr;
  for (int64_t q = 0; q < n; ++q) {
    View piece = call.src.slice(call.splitDim, split[q].offset, split[q].size);
    if (packSource) {
      View copy = rowMajorView(fromAt, piece.dtype, piece.rank, piece.sizes);
      fromAt += copy.numBytes();
      gpu.copy(copy, piece);
      piece = copy;
    }
    sources.push_back(piece);
    View result =
        call.dst.slice(call.dim, gathered[q].offset, gathered[q].size);
    results.push_back(result);
    if (packResult) {
      result = rowMajorView(toAt, result.dtype, result.rank, result.sizes);
      toAt += result.numBytes();
    }
    targets.push_back(result);
  }
  exchange(sources, targets);
  for (int64_t q = 0; packResult && q < n; ++q)
    gpu.copy(results[q], targets[q]);
}

/// A member knows whom it receives from, not who wants its own tensor: the
/// positions are exchanged first, and the host waits for them.
void CollectiveRun::permute() {
  const Nccl &nccl = getNccl();
  const Driver &driver = getDriver();
  Stream stream = gpu.getStream();
  Scratch own(gpu, 8), all(gpu, 8 * n);
  auto pointer = [](void *p) { return reinterpret_cast<DevicePtr>(p); };
  check(driver.memcpyHtoD(pointer(own.get()), &call.source, 8, stream),
        "exchanging positions");
  ok(nccl.allGather(own.get(), all.get(), 8, kNcclInt8, comm, stream));
  std::vector<int64_t> wanted(n);
  check(driver.memcpyDtoH(wanted.data(), pointer(all.get()),
                          static_cast<size_t>(8 * n), stream),
        "exchanging positions");
  check(driver.streamSynchronize(stream), "exchanging positions");
  std::optional<Scratch> from, to;
  View src = packed(call.src, from);
  View dst = packed(call.dst, to, /*withContents=*/false);
  std::vector<View> sources(n), targets(n);
  for (int64_t q = 0; q < n; ++q) {
    sources[q] = targets[q] = src;
    // Nothing: a dimension of extent 0.
    sources[q].rank = targets[q].rank = 1;
    sources[q].sizes[0] = targets[q].sizes[0] = 0;
    if (wanted[q] == me)
      sources[q] = src;
  }
  if (call.source < 0 || call.source >= n)
    raise(DTENSOR_RT_RUN_FAILED, who(), ": source ", call.source,
          " is not a position in a group of ", n);
  targets[call.source] = dst;
  exchange(sources, targets);
  if (dst.base != call.dst.base)
    gpu.copy(call.dst, dst);
}

} // namespace

bool cuda::fitsPeers(const Mesh &mesh, const Group &group,
                     const Collective &call) {
  bool isGather = call.kind == CollectiveKind::AllGather;
  bool isScatter = call.kind == CollectiveKind::ReduceScatter;
  if (!isGather && !isScatter && call.kind != CollectiveKind::AllReduce)
    return false;
  const View &whole = isGather ? call.dst : call.src;
  int64_t bytes = whole.numBytes();
  if (bytes == 0 || (!isGather && !Peers::reduces(whole.dtype)))
    return false;
  bool isEven = true;
  if (isGather || isScatter) {
    int64_t extent = whole.sizes[call.dim];
    auto pieces = cutPieces(mesh, group.axes, extent, call.unit);
    if (!areSlots(pieces, extent))
      return false;
    isEven = areEqual(pieces);
    bytes = slotBytes(whole, call.dim, pieces);
  }
  return Peers::takes(call.kind, group.size(), bytes, isEven);
}

void cuda::runCollective(Gpu &gpu, Peers *peers, NcclComm comm,
                         const Mesh &mesh, const Group &group,
                         const Collective &call) {
  CollectiveRun run(gpu, peers, comm, mesh, group, call);
  switch (call.kind) {
  case CollectiveKind::AllGather:
    return run.allGather();
  case CollectiveKind::AllReduce:
    return run.allReduce();
  case CollectiveKind::ReduceScatter:
    return run.reduceScatter();
  case CollectiveKind::AllToAll:
    return run.allToAll();
  case CollectiveKind::CollectivePermute:
    return run.permute();
  }
}
