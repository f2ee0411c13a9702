//===- Process.cpp - a rank is this process, on the CPU ---------*- C++ -*-===//
//
// Bytes travel by one function of the caller, a gather of equal pieces (see
// dtensor_rt_peers). A collective is two of them: first every member tells what
// it wants, then the sources travel, padded to the longest. With all sources at
// hand the result is computed as in one process, in group order, so that it has
// the bits of backend "sim".
//
//===----------------------------------------------------------------------===//

#include "../../Core/Backend.h"
#include "../../Core/Error.h"

#include <algorithm>
#include <cstring>

using namespace dtensor::rt;

namespace {

/// A collective as bytes; all fields are of one size, so there is no padding.
struct Wire {
  int64_t kind, dtype, rank, dim, splitDim, unit, splitUnit, offset, source,
      reduce;
  int64_t srcSizes[kMaxRank], dstSizes[kMaxRank];
};

Wire toWire(const Collective &call) {
  Wire wire = {static_cast<int64_t>(call.kind),
               call.src.dtype,
               call.src.rank,
               call.dim,
               call.splitDim,
               call.unit,
               call.splitUnit,
               call.offset,
               call.source,
               static_cast<int64_t>(call.reduce),
               {},
               {}};
  std::copy_n(call.src.sizes, kMaxRank, wire.srcSizes);
  std::copy_n(call.dst.sizes, kMaxRank, wire.dstSizes);
  return wire;
}

/// Data pointers are null.
Collective fromWire(const Wire &wire) {
  Collective call(static_cast<CollectiveKind>(wire.kind));
  auto dtype = static_cast<int32_t>(wire.dtype);
  call.src = rowMajorView(nullptr, dtype, wire.rank, wire.srcSizes);
  call.dst = rowMajorView(nullptr, dtype, wire.rank, wire.dstSizes);
  call.dim = wire.dim;
  call.splitDim = wire.splitDim;
  call.unit = wire.unit;
  call.splitUnit = wire.splitUnit;
  call.offset = wire.offset;
  call.source = wire.source;
  call.reduce = static_cast<Reduce>(wire.reduce);
  return call;
}

class ProcessSession : public Session, public Communicator {
public:
  ProcessSession(const Mesh &mesh, const Peers &peers)
      : mesh(mesh), peers(peers) {}

  std::vector<int64_t> getLocalRanks() const override {
    return {peers.meshRank};
  }
  using Session::run;
  std::vector<dtensor_rt_rank_stats> run(const Prepare &prepare,
                                         const Body &body,
                                         const Options &options) override;

  bool join(RankContext &rank, const Group &group,
            const Collective &call) override;
  void fail(int64_t rank, const std::string &message) override {
    if (error.empty())
      error = concat("rank ", rank, ": ", message);
  }

private:
  std::vector<char> gather(const Group &group, const void *send, size_t bytes);
  std::vector<Collective> meet(const Group &group, const Collective &call);

  const Mesh &mesh;
  Peers peers;
  std::string error;
};

std::vector<dtensor_rt_rank_stats>
ProcessSession::run(const Prepare &prepare, const Body &body, const Options &) {
  error.clear();
  prepare(peers.meshRank);
  RankContext context(mesh, peers.meshRank, *this);
  context.run(body);
  if (!error.empty())
    raise(DTENSOR_RT_RUN_FAILED, error);
  std::vector<dtensor_rt_rank_stats> stats(mesh.numRanks());
  stats[peers.meshRank] = context.getStats();
  return stats;
}

std::vector<char> ProcessSession::gather(const Group &group, const void *send,
                                         size_t bytes) {
  std::vector<char> received(bytes * group.members.size());
  int32_t failed = peers.gather(
      peers.user, group.members.data(), group.members.size(),
      static_cast<size_t>(group.position), send, bytes, received.data());
  if (failed)
    raise(DTENSOR_RT_RUN_FAILED, "the caller's gather over ",
          axesString(mesh, group.axes), " failed with code ", failed);
  return received;
}

/// What every member wants, checked.
std::vector<Collective> ProcessSession::meet(const Group &group,
                                             const Collective &call) {
  Wire own = toWire(call);
  std::vector<char> bytes = gather(group, &own, sizeof(own));
  std::vector<Collective> calls;
  std::vector<const Collective *> pointers;
  for (size_t i = 0; i < group.members.size(); ++i) {
    Wire wire;
    std::memcpy(&wire, bytes.data() + i * sizeof(wire), sizeof(wire));
    calls.push_back(fromWire(wire));
  }
  for (const Collective &each : calls)
    pointers.push_back(&each);
  checkTogether(pointers, group.members);
  return calls;
}

bool ProcessSession::join(RankContext &, const Group &group,
                          const Collective &call) {
  std::vector<Collective> calls = meet(group, call);
  int64_t most = 0;
  for (const Collective &each : calls)
    most = std::max(most, each.src.numBytes());
  std::vector<char> send(most), received;
  copy(rowMajorView(send.data(), call.src.dtype, call.src.rank, call.src.sizes),
       call.src);
  if (most)
    received = gather(group, send.data(), send.size());
  std::vector<const Collective *> pointers;
  std::vector<View> sources;
  for (size_t i = 0; i < calls.size(); ++i) {
    calls[i].src.base = received.data() + i * most;
    sources.push_back(calls[i].src);
    pointers.push_back(&calls[i]);
  }
  calls[group.position].dst = call.dst;
  // Elsewhere the members share the work of an all-reduce; here each does all.
  if (call.kind == CollectiveKind::AllReduce)
    reduce(sources.data(), group.size(), &call.dst, 1, call.reduce);
  else
    execute(pointers, group.position);
  return true;
}

class ProcessBackend : public Backend {
public:
  const char *getName() const override { return "process"; }
  const char *getTarget() const override { return "cpu"; }
  int64_t getMaxRanks() const override { return 65536; }

  std::unique_ptr<Session> open(const Mesh &, const LoadedBundle *) override {
    raise(DTENSOR_RT_INVALID_ARGUMENT, "backend \"process\" needs peers");
  }
  std::unique_ptr<Session> openWithPeers(const Mesh &mesh, const LoadedBundle *,
                                         const Peers &peers) override {
    if (peers.meshRank < 0 || peers.meshRank >= mesh.numRanks())
      raise(DTENSOR_RT_INVALID_ARGUMENT, "peers.mesh_rank is ", peers.meshRank,
            ", the mesh has ", mesh.numRanks(), " ranks");
    return std::make_unique<ProcessSession>(mesh, peers);
  }
};

} // namespace

Backend &dtensor::rt::getProcessBackend() {
  static ProcessBackend backend;
  return backend;
}
