//===- PeerStream.cu - large collectives through the peers' memory --------===//
//
// One kernel per member. A block has the same part of every message, and moves
// it in chunks: half of its threads write chunks into the other members'
// inboxes, the other half reads those that arrive.
//
//   slot     a chunk in an inbox, [from member][block][number % kStreamSlots]
//   arrived  the number of the chunk that is whole in a slot, written by its
//            member after it, with what of it was sent: lines that change no
//            result are not, for sums are often of rows that one member has
//   taken    chunks of an inbox that were read, written to the member that sent
//            them: their slots may be written again
//
// Chunks are numbered on from call to call by counts on the GPU, so that a
// graph may be replayed; members run the same calls in the same order. Block b
// talks to blocks b alone, and waits only for what those do without waiting for
// it: sending never waits for the same block's receiving.
//
// Contributions are combined in group order; source and result do not overlap,
// but for a piece that lies in its place of a gather. After an abort the kernel
// ends and its result is worth nothing.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "PeerElements.cuh"

using namespace dtensor::rt::cuda;

/// Looks at a count between two looks at the host's word.
constexpr int kStreamLooks = 1024;

static __device__ uint32_t readCount(const StreamCount &count) {
  uint32_t value;
  asm volatile("ld.acquire.sys.global.u32 %0, [%1];"
               : "=r"(value)
               : "l"(&count.chunks)
               : "memory");
  return value;
}

static __device__ uint64_t readArrival(const uint64_t &slot) {
  uint64_t value;
  asm volatile("ld.acquire.sys.global.u64 %0, [%1];"
               : "=l"(value)
               : "l"(&slot)
               : "memory");
  return value;
}

/// Who sees the number sees what this thread, and those it met at a barrier,
/// wrote before.
static __device__ void postArrival(uint64_t &slot, uint32_t number,
                                   uint32_t lines) {
  asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(&slot),
               "l"(static_cast<uint64_t>(lines) << 32 | number)
               : "memory");
}

/// The same for what was read before: a thread has stored what it made of the
/// words it read when it comes to the barrier, so they are in its registers. A
/// release would wait for those stores, too.
static __device__ void postReads(StreamCount &count, uint32_t value) {
  asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(&count.chunks),
               "r"(value)
               : "memory");
}

/// 16 bytes, of which `left` are there; any alignment.
static __device__ uint4 loadWord(const char *from, int64_t left) {
  auto address = reinterpret_cast<uint64_t>(from);
  if (left >= 16 && address % 16 == 0)
    return *reinterpret_cast<const uint4 *>(from);
  if (left >= 16 && address % 4 == 0) {
    auto parts = reinterpret_cast<const uint32_t *>(from);
    return {parts[0], parts[1], parts[2], parts[3]};
  }
  uint32_t parts[4] = {};
#pragma unroll
  for (int b = 0; b < 16; ++b)
    if (b < left)
      parts[b / 4] |= static_cast<uint32_t>(static_cast<unsigned char>(from[b]))
                      << (b % 4 * 8);
  return {parts[0], parts[1], parts[2], parts[3]};
}

static __device__ void storeWord(char *to, uint4 word, int64_t left) {
  auto address = reinterpret_cast<uint64_t>(to);
  if (left >= 16 && address % 16 == 0) {
    *reinterpret_cast<uint4 *>(to) = word;
    return;
  }
  if (left >= 16 && address % 4 == 0) {
    auto parts = reinterpret_cast<uint32_t *>(to);
    parts[0] = word.x;
    parts[1] = word.y;
    parts[2] = word.z;
    parts[3] = word.w;
    return;
  }
  const uint32_t parts[4] = {word.x, word.y, word.z, word.w};
#pragma unroll
  for (int b = 0; b < 16; ++b)
    if (b < left)
      to[b] = static_cast<char>(parts[b / 4] >> (b % 4 * 8));
}

/// What the threads of a half tell each other. Of two turns, for a barrier
/// parts only a turn from the one after the next.
struct StreamLines {
  uint32_t sent[2];
  uint32_t arrived[2][kPeerMembers];
};

/// One half of a block.
class StreamHalf {
public:
  __device__ StreamHalf(const StreamArguments &args, StreamLines &lines,
                        uint4 blank, int half)
      : args(args), lines(lines), blank(blank), half(half),
        thread(threadIdx.x - half * kStreamHalf) {
    begin = blockIdx.x * args.blockBytes;
    bytes = min(args.blockBytes, args.bytes - begin);
    chunks = static_cast<uint32_t>((bytes + kStreamChunk - 1) / kStreamChunk);
    before = args.inboxes[args.me]->done[blockIdx.x].chunks;
  }

  __device__ void send() const {
    uint32_t others = static_cast<uint32_t>(args.members) - 1;
    if (thread == 0)
      lines.sent[0] = lines.sent[1] = 0;
    bool isGood = meet(waitForSlot(0));
    for (uint32_t i = 0; i < chunks * others && isGood; ++i) {
      uint32_t chunk = i / others;
      int q = target(i);
      copyOut(q, chunk, lines.sent[i % 2]);
      isGood = meet(i + 1 == chunks * others || waitForSlot(i + 1));
      if (thread == 0) {
        postArrival(arrival(q, args.me, chunk), before + chunk + 1,
                    lines.sent[i % 2]);
        lines.sent[i % 2] = 0;
      }
    }
  }

  /// combine(chunk) is called for every chunk once all members' are there.
  template <typename Fn>
  __device__ void receive(Fn combine) const {
    bool isGood = meet(waitForChunk(0));
    for (uint32_t chunk = 0; chunk < chunks && isGood; ++chunk) {
      combine(chunk);
      isGood = meet(chunk + 1 == chunks || waitForChunk(chunk + 1));
      if (isOther(thread))
        postReads(args.inboxes[thread]->taken[args.me][blockIdx.x],
                  before + chunk + 1);
    }
  }

  /// Offset in the block's part of word `u` of this thread.
  __device__ int64_t offsetOf(uint32_t chunk, int u) const {
    return int64_t(chunk) * kStreamChunk + 16 * (u * kStreamHalf + thread);
  }
  /// Of member q's contribution for this one.
  __device__ uint4 load(int q, uint32_t chunk, int u) const {
    int64_t offset = offsetOf(chunk, u);
    if (q == args.me)
      return loadOwn(q, offset);
    if ((lines.arrived[chunk % 2][q] & lineOf(u)) == 0)
      return blank;
    return __ldcg(slot(args.me, q, chunk) + (u * kStreamHalf + thread));
  }
  /// What member q sent, or a result, which is as if member 0 had sent it.
  __device__ void store(uint32_t chunk, int u, uint4 word, int q = 0) const {
    int64_t at = offsetOf(chunk, u), place = placeOf(args, q, begin + at);
    int64_t left = min(bytes - at, args.dstBytes - place);
    if (left > 0)
      storeWord(args.dst + place, word, left);
  }

  /// After both halves.
  __device__ void finish() const {
    if (threadIdx.x == 0)
      args.inboxes[args.me]->done[blockIdx.x].chunks = before + chunks;
  }

private:
  /// Of all threads of this half, with what they wrote: whether all are good.
  __device__ bool meet(bool isGood) const {
    int all;
    asm volatile("{\n"
                 ".reg .pred mine, all;\n"
                 "setp.ne.s32 mine, %1, 0;\n"
                 "bar.red.and.pred all, %2, %3, mine;\n"
                 "selp.s32 %0, 1, 0, all;\n"
                 "}"
                 : "=r"(all)
                 : "r"(int(isGood)), "r"(half + 1), "n"(kStreamHalf)
                 : "memory");
    return all != 0;
  }
  __device__ bool isOther(int q) const {
    return q < args.members && q != args.me;
  }
  /// Message i of the chunks in order, each to all others.
  __device__ int target(uint32_t i) const {
    uint32_t others = static_cast<uint32_t>(args.members) - 1;
    return static_cast<int>((args.me + 1 + i % others) % args.members);
  }

  /// Until `count` is at least `wanted`; false: aborted.
  __device__ bool waitFor(const StreamCount &count, uint32_t wanted) const {
    for (int looks = 1; static_cast<int32_t>(readCount(count) - wanted) < 0;
         ++looks)
      if (looks % kStreamLooks == 0 && isAborted())
        return false;
    return true;
  }
  /// The bit of word `u` of this thread.
  __device__ uint32_t lineOf(int u) const {
    return 1u << (u * (kStreamHalf / kStreamLineThreads) +
                  thread / kStreamLineThreads);
  }
  __device__ uint64_t &arrival(int of, int from, uint32_t chunk) const {
    return args.inboxes[of]
        ->arrived[from][blockIdx.x]
        .slots[(before + chunk) % kStreamSlots];
  }
  /// For message i, by one thread.
  __device__ bool waitForSlot(uint32_t i) const {
    uint32_t chunk = i / (static_cast<uint32_t>(args.members) - 1);
    return thread != 0 ||
           waitFor(args.inboxes[args.me]->taken[target(i)][blockIdx.x],
                   before + chunk + 1 - kStreamSlots);
  }
  /// By one thread for each other member.
  __device__ bool waitForChunk(uint32_t chunk) const {
    if (!isOther(thread))
      return true;
    const uint64_t &slot = arrival(args.me, thread, chunk);
    for (int looks = 1;; ++looks) {
      uint64_t value = readArrival(slot);
      if (static_cast<uint32_t>(value) == before + chunk + 1) {
        lines.arrived[chunk % 2][thread] = static_cast<uint32_t>(value >> 32);
        return true;
      }
      if (looks % kStreamLooks == 0 && isAborted())
        return false;
    }
  }
  __device__ bool isAborted() const {
    return *static_cast<const volatile uint32_t *>(args.aborted) != 0;
  }

  __device__ uint4 *slot(int of, int from, uint32_t chunk) const {
    int64_t number = int64_t(from) * kStreamBlocks + blockIdx.x;
    number = number * kStreamSlots + (before + chunk) % kStreamSlots;
    return reinterpret_cast<uint4 *>(args.inboxes[of] + 1) +
           number * (kStreamChunk / 16);
  }
  __device__ uint4 loadOwn(int q, int64_t offset) const {
    int64_t at = q * args.srcStride + begin + offset;
    int64_t left = min(bytes - offset, args.srcBytes - at);
    return left > 0 ? loadWord(args.src + at, left) : uint4{};
  }
  __device__ bool isBlank(uint4 word) const {
    return word.x == blank.x && word.y == blank.y && word.z == blank.z &&
           word.w == blank.w;
  }
  /// Sets the bits of the lines that are sent: those that are not all blank.
  __device__ void copyOut(int q, uint32_t chunk, uint32_t &sent) const {
    uint4 words[kStreamWords];
    uint4 *to = slot(q, args.me, chunk) + thread;
#pragma unroll
    for (int u = 0; u < kStreamWords; ++u)
      words[u] = loadOwn(q, offsetOf(chunk, u));
#pragma unroll
    for (int u = 0; u < kStreamWords; ++u) {
      if (__all_sync(~0u, isBlank(words[u])))
        continue;
      if (offsetOf(chunk, u) < bytes)
        to[u * kStreamHalf] = words[u];
      if (thread % kStreamLineThreads == 0)
        atomicOr(&sent, lineOf(u));
    }
  }

  const StreamArguments &args;
  StreamLines &lines;
  uint4 blank;
  int half, thread;
  int64_t begin, bytes; // of this block in every message
  uint32_t chunks, before;
};

/// combine(half, chunk) is the receiving half's. A line of `blank` words alone
/// is as good as sent.
template <typename Fn>
static __device__ void stream(const StreamArguments &args, uint4 blank,
                              Fn combine) {
  __shared__ StreamLines lines;
  int side = threadIdx.x / kStreamHalf;
  StreamHalf half(args, lines, blank, side);
  if (side == 0)
    half.send();
  else
    half.receive([&](uint32_t chunk) { combine(half, chunk); });
  __syncthreads();
  half.finish();
}

template <typename T, typename Op>
static __device__ void streamReduce(const StreamArguments &args) {
  uint4 neutral = PeerElements<T, uint4>::all(Op::neutral()).write();
  stream(args, neutral, [&](const StreamHalf &half, uint32_t chunk) {
    PeerElements<T, uint4> sums[kStreamWords], next;
#pragma unroll
    for (int u = 0; u < kStreamWords; ++u)
      sums[u].read(half.load(0, chunk, u));
    for (int q = 1; q < args.members; ++q)
#pragma unroll
      for (int u = 0; u < kStreamWords; ++u) {
        next.read(half.load(q, chunk, u));
        sums[u].template add<Op>(next);
      }
#pragma unroll
    for (int u = 0; u < kStreamWords; ++u)
      half.store(chunk, u, sums[u].write());
  });
}

/// The messages of all members, one after the other.
extern "C" __global__ void __launch_bounds__(kStreamThreads)
    dtensor_stream_gather(const __grid_constant__ StreamArguments args) {
  stream(args, uint4{}, [&](const StreamHalf &half, uint32_t chunk) {
    for (int q = 0; q < args.members; ++q) {
      uint4 words[kStreamWords];
#pragma unroll
      for (int u = 0; u < kStreamWords; ++u)
        words[u] = half.load(q, chunk, u);
#pragma unroll
      for (int u = 0; u < kStreamWords; ++u)
        half.store(chunk, u, words[u], q);
    }
  });
}

#define DTENSOR_STREAM(OP, CLASS, NAME, TYPE)                                  \
  extern "C" __global__ void __launch_bounds__(kStreamThreads)                 \
      dtensor_stream_##OP##_##NAME(                                            \
          const __grid_constant__ StreamArguments args) {                      \
    streamReduce<TYPE, CLASS>(args);                                           \
  }
DTENSOR_PEER_REDUCTIONS(DTENSOR_STREAM)
