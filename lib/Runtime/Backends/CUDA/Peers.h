//===- Peers.h - memory that the members of a group share -------*- C++ -*-===//
//
// Collectives between GPUs that reach each other's memory take one kernel:
// packets for the small ones (Kernels/Peer.cu), streams of chunks for the large
// ones (Kernels/PeerStream.cu), where they are faster than NCCL's. Who uses
// them is decided by what all members know: the bytes, the type, the size of
// the group, and whether all of them could open all inboxes, which processes of
// one host share, too. DTENSOR_PEERS=0 leaves everything to NCCL; it is the
// same for all processes of a job.
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
  /// Whether groups of `members` go this way at all.
  static bool serves(int64_t members);
  /// `bytes` is the longest message from one member to another one, `isEven`
  /// whether all are that long.
  static bool takes(CollectiveKind kind, int64_t members, int64_t bytes,
                    bool isEven);
  static bool reduces(int32_t dtype);

  /// Meets the other members, which are other processes or threads of this one,
  /// under the name `key`. The context is current.
  Peers(Gpu &gpu, const Group &group, bool areProcesses,
        const AbortWord &aborted, Store &store, const std::string &key);
  Peers(const Peers &) = delete;
  /// No member may be running; the context is current.
  ~Peers();

  /// The same on all members.
  bool areUsable() const { return usable; }

  /// Packed arrays.
  struct Arrays {
    void *dst;
    int64_t dstBytes;
    const void *src;
    int64_t srcBytes;
  };
  void allReduce(const Arrays &arrays, int32_t dtype, Reduce kind);
  /// Whether rows of a gathered message may lie apart.
  static bool mayLieApart(int64_t rowBytes, int64_t bytes) {
    return rowBytes % 16 == 0 && bytes <= UINT32_MAX;
  }
  /// Member q's bytes come to dst as `rows` says; those of one row may be less
  /// for the last members.
  void allGather(const Arrays &arrays, int64_t bytes, const GatheredRows &rows);
  /// The sum of the members' bytes at src + me * bytes.
  void reduceScatter(const Arrays &arrays, int64_t bytes, int32_t dtype,
                     Reduce kind);

private:
  struct Invitation;

  Invitation invite();
  bool open(const Invitation &invitation, int64_t member);
  void sendPackets(const std::string &what, const Arrays &arrays,
                   const GatheredRows &rows);
  void stream(const std::string &what, const Arrays &arrays, int64_t bytes,
              int64_t srcStride, const GatheredRows &rows);

  Gpu &gpu;
  bool areProcesses;
  const AbortWord &aborted;
  int64_t members, me, slotPackets;
  DevicePtr memory = 0; // rounds, the inbox of packets, that of streams
  PeerPacket *packetInboxes[kPeerMembers] = {};
  StreamInbox *streamInboxes[kPeerMembers] = {};
  std::vector<DevicePtr> opened; // from other processes
  bool usable = false;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_PEERS_H
