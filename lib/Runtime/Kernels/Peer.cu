//===- Peer.cu - small collectives through the peers' memory --------------===//
//
// One kernel per member. Every member writes its contribution into an inbox of
// each other one and reads what the others wrote into its own:
//
//   packet  8 bytes of data, each half followed by the number of the round, so
//           that data and notice arrive together and nothing else is needed
//   inbox   packets [round % 2][from member][block][slotPackets]
//   round   counted per block; block b of a member talks to blocks b alone
//
// An inbox may be written again after two rounds: a member that finished round
// r + 1 has got everybody's packets of it, which they sent after they had read
// those of round r. Members run the same rounds in the same order, each one on
// a stream, whenever they like; a graph may be replayed, for the rounds are
// counted on the GPU.
//
// Contributions are combined in group order, floats in f32 and rounded once.
// After an abort the kernel ends and its result is worth nothing.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "PeerElements.cuh"

using namespace dtensor::rt::cuda;

/// Packets of one thread in flight at once.
constexpr int kPeerBatch = 4;
/// Looks at the inbox between two looks at the host's word.
constexpr int kPeerLooks = 1024;

static __device__ void putPacket(PeerPacket *to, uint64_t data,
                                 uint32_t round) {
  asm volatile("st.volatile.global.v4.u32 [%0], {%1, %2, %3, %2};" ::"l"(to),
               "r"(static_cast<uint32_t>(data)), "r"(round),
               "r"(static_cast<uint32_t>(data >> 32))
               : "memory");
}

/// False: it is not there yet.
static __device__ bool takePacket(const PeerPacket *from, uint64_t &data,
                                  uint32_t round) {
  uint32_t low, lowRound, high, highRound;
  asm volatile("ld.volatile.global.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(low), "=r"(lowRound), "=r"(high), "=r"(highRound)
               : "l"(from)
               : "memory");
  data = static_cast<uint64_t>(high) << 32 | low;
  return lowRound == round && highRound == round;
}

/// The part of one block.
class PeerBlock {
public:
  __device__ explicit PeerBlock(const PeerArguments &args) : args(args) {
    round = args.rounds[blockIdx.x] + 1;
    if (round == 0) // inboxes begin with zeros; 2 keeps the turns
      round = 2;
    int64_t packets = (args.bytes + 7) / 8;
    begin = blockIdx.x * args.blockPackets;
    end = min(begin + args.blockPackets, packets);
  }

  __device__ int64_t first() const { return begin + threadIdx.x; }
  __device__ int64_t last() const { return end; }

  __device__ void sendAll() const {
    for (int64_t i = first(); i < end; i += kPeerThreads) {
      uint64_t data = load(i);
      for (int q = 0; q < args.members; ++q)
        if (q != args.me)
          putPacket(slot(q, args.me) + (i - begin), data, round);
    }
  }

  /// Packets i, i + kPeerThreads.. of member q; false: aborted.
  __device__ bool take(int q, int64_t i, uint64_t (&data)[kPeerBatch]) const {
    if (q == args.me) {
#pragma unroll
      for (int u = 0; u < kPeerBatch; ++u)
        data[u] = i + u * kPeerThreads < end ? load(i + u * kPeerThreads) : 0;
      return true;
    }
    const PeerPacket *from = slot(args.me, q) + (i - begin);
    for (int looks = 1;; ++looks) {
      bool isComplete = true;
#pragma unroll
      for (int u = 0; u < kPeerBatch; ++u)
        if (i + u * kPeerThreads < end)
          isComplete &= takePacket(from + u * kPeerThreads, data[u], round);
      if (isComplete)
        return true;
      if (looks % kPeerLooks == 0 &&
          *static_cast<const volatile uint32_t *>(args.aborted) != 0)
        return false;
    }
  }

  /// What member q sent, or a result, which is as if member 0 had sent it.
  __device__ void store(int64_t i, uint64_t data, int q = 0) const {
    char *to = static_cast<char *>(args.dst) + placeOf(args, q, 8 * i);
    if (isWhole(to, i)) {
      *reinterpret_cast<uint64_t *>(to) = data;
      return;
    }
    for (int b = 0; b < 8 && 8 * i + b < args.bytes; ++b)
      to[b] = static_cast<char>(data >> (8 * b));
  }

  __device__ void finish() const {
    __syncthreads();
    if (threadIdx.x == 0)
      args.rounds[blockIdx.x] = round;
  }

private:
  __device__ bool isWhole(const char *at, int64_t i) const {
    return reinterpret_cast<uint64_t>(at) % 8 == 0 && 8 * i + 8 <= args.bytes;
  }

  __device__ uint64_t load(int64_t i) const {
    const char *from = static_cast<const char *>(args.src) + 8 * i;
    if (isWhole(from, i))
      return *reinterpret_cast<const uint64_t *>(from);
    uint64_t data = 0;
    for (int b = 0; b < 8 && 8 * i + b < args.bytes; ++b)
      data |= static_cast<uint64_t>(static_cast<unsigned char>(from[b]))
              << (8 * b);
    return data;
  }

  /// This block's packets from `from` in the inbox of `of`.
  __device__ PeerPacket *slot(int of, int from) const {
    int64_t number = (round % 2) * args.members + from;
    return args.inboxes[of] +
           (number * kPeerBlocks + blockIdx.x) * args.slotPackets;
  }

  const PeerArguments &args;
  uint32_t round;
  int64_t begin, end;
};

template <typename T, typename Op>
static __device__ void peerReduce(const PeerArguments &args) {
  using Elements = PeerElements<T, uint64_t>;
  PeerBlock block(args);
  block.sendAll();
  bool isGood = true;
  for (int64_t i = block.first(); isGood && i < block.last();
       i += kPeerBatch * kPeerThreads) {
    Elements sum[kPeerBatch];
    uint64_t data[kPeerBatch];
    for (int q = 0; isGood && q < args.members; ++q) {
      isGood = block.take(q, i, data);
#pragma unroll
      for (int u = 0; u < kPeerBatch; ++u) {
        Elements next;
        next.read(data[u]);
        if (q == 0)
          sum[u] = next;
        else
          sum[u].template add<Op>(next);
      }
    }
#pragma unroll
    for (int u = 0; u < kPeerBatch; ++u)
      if (isGood && i + u * kPeerThreads < block.last())
        block.store(i + u * kPeerThreads, sum[u].write());
  }
  block.finish();
}

/// dst = the members' bytes, one after the other.
extern "C" __global__ void __launch_bounds__(kPeerThreads)
    dtensor_peer_gather(const __grid_constant__ PeerArguments args) {
  PeerBlock block(args);
  block.sendAll();
  for (int q = 0; q < args.members; ++q)
    for (int64_t i = block.first(); i < block.last();
         i += kPeerBatch * kPeerThreads) {
      uint64_t data[kPeerBatch];
      bool isGood = block.take(q, i, data);
#pragma unroll
      for (int u = 0; u < kPeerBatch; ++u)
        if (isGood && i + u * kPeerThreads < block.last())
          block.store(i + u * kPeerThreads, data[u], q);
    }
  block.finish();
}

#define DTENSOR_PEER(OP, CLASS, NAME, TYPE)                                    \
  extern "C" __global__ void __launch_bounds__(kPeerThreads)                   \
      dtensor_peer_##OP##_##NAME(const __grid_constant__ PeerArguments args) { \
    peerReduce<TYPE, CLASS>(args);                                             \
  }
DTENSOR_PEER_REDUCTIONS(DTENSOR_PEER)
