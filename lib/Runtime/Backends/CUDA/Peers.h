//===- Peers.h - memory that the members of a group share -------*- C++ -*-===//
//
// Small collectives between GPUs that reach each other's memory take one
// kernel (Kernels/Peer.cu), which at these sizes is faster than NCCL's. Who
// uses it is decided by what all members know: the bytes, the type, the size of
// the group, and whether all of them could open all inboxes. DTENSOR_PEERS=0
// leaves everything to NCCL; DTENSOR_PEERS=processes shares memory between the
// processes of a job too. It is the same for all of them.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_PEERS_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_PEERS_H

#include "Gpu.h"
#include "Store.h"

#include "../../Core/Collective.h"
#include "../../Kernels/Arguments.h"

namespace dtensor::rt::cuda {

/// A word of the host that kernels look at while they wait.
class AbortWord {
public:
  explicit AbortWord(Context context);
  AbortWord(const AbortWord &) = delete;
  ~AbortWord();

  void set(bool isAborted) {
    *static_cast<volatile uint32_t *>(word) = isAborted;
  }
  const uint32_t *get() const { return word; }

private:
  Context context;
  uint32_t *word = nullptr;
};

class Peers {
public:
  /// Bytes of one member in a group of `members` that go this way; 0: none.
  static int64_t mostBytes(int64_t members);
  static bool reduces(int32_t dtype);
  static bool mayJoinProcesses();

  /// Meets the other members under the name `key`. The context is current.
  Peers(Gpu &gpu, const Group &group, const AbortWord &aborted, Store &store,
        const std::string &key, double seconds);
  Peers(const Peers &) = delete;
  /// No member may be running; the context is current.
  ~Peers();

  /// The same on all members.
  bool areUsable() const { return usable; }

  /// `count` packed elements.
  void allReduce(void *dst, const void *src, int64_t count, int32_t dtype,
                 Reduce kind);
  /// dst = the members' packed bytes, one after the other.
  void allGather(void *dst, const void *src, int64_t bytes);

private:
  struct Invitation;

  Invitation invite();
  bool open(const Invitation &invitation, int64_t member);
  void launch(const std::string &kernel, void *dst, const void *src,
              int64_t bytes);

  Gpu &gpu;
  const AbortWord &aborted;
  int64_t members, me, slotPackets;
  DevicePtr memory = 0; // rounds, then the inbox
  PeerPacket *inboxes[kPeerMembers] = {};
  std::vector<DevicePtr> opened; // from other processes
  bool usable = false;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_PEERS_H
