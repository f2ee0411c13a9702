//===- Peer.cu - small collectives through the peers' memory --------------===//
//
// One kernel per member. Every member writes its contribution into an inbox of
// each other one and reads what the others wrote into its own:
//
//   packets  few bytes: 8 bytes of data, each half followed by the number of
//            the round, so that data and notice arrive together; twice the
//            bytes, no fence
//   chunks   more bytes: the data as it is, then a fence and the number of the
//            round
//   inbox    [round % 2][from member][block][what a block may have]
//   round    counted per block; block b of a member talks to blocks b alone
//
// An inbox may be written again after two rounds: a member that finished round
// r + 1 has got everybody's message of it, which they sent after they had read
// those of round r. Members run the same rounds in the same order, each one on
// a stream, whenever they like; a graph may be replayed, for the rounds are
// counted on the GPU.
//
// Contributions are combined in group order, floats in f32 and rounded once.
// After an abort the kernel ends and its result is worth nothing.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

using namespace dtensor::rt::cuda;

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

static __device__ bool isAborted(const PeerArguments &args) {
  return *static_cast<const volatile uint32_t *>(args.aborted) != 0;
}

/// The part of one block, in words of a message.
template <typename Word>
class PeerBlock {
public:
  static constexpr int64_t kBytes = sizeof(Word);

  __device__ explicit PeerBlock(const PeerArguments &args) : args(args) {
    round = args.rounds[blockIdx.x] + 1;
    if (round == 0) // inboxes begin with zeros; 2 keeps the turns
      round = 2;
    int64_t words = (args.bytes + kBytes - 1) / kBytes;
    begin = blockIdx.x * args.blockWords;
    end = min(begin + args.blockWords, words);
  }

  __device__ Word load(int64_t i) const {
    const char *from = static_cast<const char *>(args.src) + kBytes * i;
    if (isWhole(from, i))
      return *reinterpret_cast<const Word *>(from);
    char bytes[kBytes];
#pragma unroll
    for (int b = 0; b < kBytes; ++b)
      bytes[b] = kBytes * i + b < args.bytes ? from[b] : 0;
    Word word;
    memcpy(&word, bytes, kBytes);
    return word;
  }

  __device__ void store(int64_t i, const Word &word, int64_t offset = 0) const {
    char *to = static_cast<char *>(args.dst) + offset + kBytes * i;
    if (isWhole(to, i)) {
      *reinterpret_cast<Word *>(to) = word;
      return;
    }
    char bytes[kBytes];
    memcpy(bytes, &word, kBytes);
#pragma unroll
    for (int b = 0; b < kBytes; ++b)
      if (kBytes * i + b < args.bytes)
        to[b] = bytes[b];
  }

  /// What this block gets from `from` in this round begins at this number of
  /// things, of which a block has at most `most`.
  __device__ int64_t placeOf(int from, int64_t most) const {
    int64_t number = (round % 2) * args.members + from;
    return (number * kPeerBlocks + blockIdx.x) * most;
  }

  __device__ void finish() const {
    __syncthreads();
    if (threadIdx.x == 0)
      args.rounds[blockIdx.x] = round;
  }

  const PeerArguments &args;
  uint32_t round;
  int64_t begin, end;

private:
  __device__ bool isWhole(const char *at, int64_t i) const {
    return reinterpret_cast<uint64_t>(at) % kBytes == 0 &&
           kBytes * (i + 1) <= args.bytes;
  }
};

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// Calls use(block, i, get) for every word i of the block with get(q) the word
/// of member q.
class Packets {
public:
  using Word = uint64_t;

  /// A packet is of one thread.
  template <typename Fn>
  static __device__ void exchange(const PeerArguments &args, Fn use) {
    PeerBlock<Word> block(args);
    int64_t i = block.begin + threadIdx.x;
    if (i < block.end) {
      Word words[kPeerMembers];
      Word own = block.load(i);
      send(block, own);
      if (receive(block, own, words))
        use(block, i, [&](int q) { return words[q]; });
    }
    block.finish();
  }

private:
  static __device__ PeerPacket *place(const PeerBlock<Word> &block, int of,
                                      int from) {
    return block.args.packets[of] + block.placeOf(from, kPeerThreads) +
           threadIdx.x;
  }

  static __device__ void send(const PeerBlock<Word> &block, Word own) {
#pragma unroll
    for (int q = 0; q < kPeerMembers; ++q)
      if (q < block.args.members && q != block.args.me)
        putPacket(place(block, q, block.args.me), own, block.round);
  }

  /// False: aborted.
  static __device__ bool receive(const PeerBlock<Word> &block, Word own,
                                 Word (&words)[kPeerMembers]) {
    const PeerArguments &args = block.args;
    for (int looks = 1;; ++looks) {
      bool isComplete = true;
#pragma unroll
      for (int q = 0; q < kPeerMembers; ++q) {
        if (q == args.me)
          words[q] = own;
        else if (q < args.members)
          isComplete &=
              takePacket(place(block, args.me, q), words[q], block.round);
      }
      if (isComplete)
        return true;
      if (looks % kPeerLooks == 0 && isAborted(args))
        return false;
    }
  }
};

class Chunks {
public:
  using Word = PeerWord;

  template <typename Fn>
  static __device__ void exchange(const PeerArguments &args, Fn use) {
    PeerBlock<Word> block(args);
    int64_t chunk = 0;
    for (int64_t i = block.begin; i < block.end; i += kPeerChunkWords)
      send(block, i, chunk++);
    chunk = 0;
    for (int64_t i = block.begin; i < block.end; i += kPeerChunkWords) {
      if (!wait(block, chunk++))
        break;
      int64_t end = min(i + kPeerChunkWords, block.end);
#pragma unroll 2
      for (int64_t at = i + threadIdx.x; at < end; at += kPeerThreads)
        use(block, at, [&](int q) { return take(block, q, at); });
    }
    block.finish();
  }

private:
  static __device__ void send(const PeerBlock<Word> &block, int64_t first,
                              int64_t chunk) {
    const PeerArguments &args = block.args;
    int64_t place =
        block.placeOf(args.me, args.mostChunks * kPeerChunkWords) - block.begin;
    int64_t end = min(first + kPeerChunkWords, block.end);
#pragma unroll 4
    for (int64_t i = first + threadIdx.x; i < end; i += kPeerThreads) {
      Word word = block.load(i);
      for (int q = 0; q < args.members; ++q)
        if (q != args.me)
          args.words[q][place + i] = word;
    }
    __syncthreads();
    if (threadIdx.x < args.members && threadIdx.x != args.me) {
      __threadfence_system();
      *static_cast<volatile uint32_t *>(
          args.notices[threadIdx.x] + block.placeOf(args.me, args.mostChunks) +
          chunk) = block.round;
    }
  }

  /// For a chunk of every member; false: aborted.
  static __device__ bool wait(const PeerBlock<Word> &block, int64_t chunk) {
    const PeerArguments &args = block.args;
    bool isGood = true;
    int q = static_cast<int>(threadIdx.x);
    if (q < args.members && q != args.me) {
      const volatile uint32_t *notice =
          args.notices[args.me] + block.placeOf(q, args.mostChunks) + chunk;
      for (int looks = 1; *notice != block.round; ++looks)
        if (looks % kPeerLooks == 0 && isAborted(args)) {
          isGood = false;
          break;
        }
      __threadfence_system();
    }
    return __syncthreads_and(isGood);
  }

  static __device__ Word take(const PeerBlock<Word> &block, int q, int64_t i) {
    const PeerArguments &args = block.args;
    if (q == args.me)
      return block.load(i);
    // What lies there changed since the kernel began: not through L1.
    uint4 word = __ldcg(reinterpret_cast<const uint4 *>(
        args.words[args.me] +
        block.placeOf(q, args.mostChunks * kPeerChunkWords) - block.begin + i));
    return {word.x, word.y, word.z, word.w};
  }
};

//===----------------------------------------------------------------------===//
// What is done with them
//===----------------------------------------------------------------------===//

template <typename T>
static __device__ float toFloat(T value) {
  return static_cast<float>(value);
}

/// Elements of a word in f32.
template <typename T, typename Word>
struct PeerElements {
  static constexpr int kCount = sizeof(Word) / sizeof(T);
  float values[kCount];

  __device__ explicit PeerElements(const Word &word) {
    T elements[kCount];
    memcpy(elements, &word, sizeof(word));
#pragma unroll
    for (int e = 0; e < kCount; ++e)
      values[e] = toFloat(elements[e]);
  }
  __device__ Word write() const {
    T elements[kCount];
#pragma unroll
    for (int e = 0; e < kCount; ++e)
      elements[e] = static_cast<T>(values[e]);
    Word word;
    memcpy(&word, elements, sizeof(word));
    return word;
  }
};

struct PeerSum {
  static __device__ float apply(float a, float b) { return a + b; }
};
/// A NaN is kept.
struct PeerMax {
  static __device__ float apply(float a, float b) {
    return a > b || a != a ? a : b;
  }
};
struct PeerMin {
  static __device__ float apply(float a, float b) {
    return a < b || a != a ? a : b;
  }
};

template <typename Messages, typename T, typename Op>
static __device__ void peerReduce(const PeerArguments &args) {
  using Elements = PeerElements<T, typename Messages::Word>;
  Messages::exchange(args, [](const auto &block, int64_t i, auto get) {
    Elements sum(get(0));
#pragma unroll
    for (int q = 1; q < kPeerMembers; ++q)
      if (q < block.args.members) {
        Elements next(get(q));
#pragma unroll
        for (int e = 0; e < Elements::kCount; ++e)
          sum.values[e] = Op::apply(sum.values[e], next.values[e]);
      }
    block.store(i, sum.write());
  });
}

/// dst = the members' bytes, one after the other.
template <typename Messages>
static __device__ void peerGather(const PeerArguments &args) {
  Messages::exchange(args, [](const auto &block, int64_t i, auto get) {
#pragma unroll
    for (int q = 0; q < kPeerMembers; ++q)
      if (q < block.args.members)
        block.store(i, get(q), q * block.args.bytes);
  });
}

#define DTENSOR_PEER(NAME, ...)                                                \
  extern "C" __global__ void __launch_bounds__(kPeerThreads)                   \
      dtensor_packets_##NAME(const __grid_constant__ PeerArguments args) {     \
    DTENSOR_PEER_BODY(Packets, __VA_ARGS__);                                   \
  }                                                                            \
  extern "C" __global__ void __launch_bounds__(kPeerThreads)                   \
      dtensor_chunks_##NAME(const __grid_constant__ PeerArguments args) {      \
    DTENSOR_PEER_BODY(Chunks, __VA_ARGS__);                                    \
  }

#define DTENSOR_PEER_BODY(MESSAGES, UNUSED) peerGather<MESSAGES>(args)
DTENSOR_PEER(gather, )
#undef DTENSOR_PEER_BODY

#define DTENSOR_PEER_BODY(MESSAGES, TYPE, OP)                                  \
  peerReduce<MESSAGES, TYPE, OP>(args)
#define DTENSOR_PEER_TYPE(NAME, TYPE)                                          \
  DTENSOR_PEER(sum_##NAME, TYPE, PeerSum)                                      \
  DTENSOR_PEER(max_##NAME, TYPE, PeerMax)                                      \
  DTENSOR_PEER(min_##NAME, TYPE, PeerMin)
DTENSOR_PEER_TYPE(f32, float)
DTENSOR_PEER_TYPE(f16, __half)
DTENSOR_PEER_TYPE(bf16, __nv_bfloat16)
