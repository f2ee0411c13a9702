//===- Arguments.h - parameters of the prebuilt kernels ---------*- C++ -*-===//
//
// Shared by the kernels and the host code that launches them; passed by value.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_KERNELS_ARGUMENTS_H
#define DTENSOR_RUNTIME_KERNELS_ARGUMENTS_H

#include <cstdint>

namespace dtensor::rt::cuda {

inline constexpr int kCopyMaxRank = 16;
inline constexpr int kCopyThreads = 256;

/// dst[i] = src[i] over `count` = product of sizes words; dimension 0 is the
/// innermost; strides in words. A fill reads `bits` instead.
struct CopyArguments {
  void *dst;
  const void *src;
  int64_t count;
  int64_t bits;
  int32_t rank;
  int64_t sizes[kCopyMaxRank];
  int64_t dstStrides[kCopyMaxRank];
  int64_t srcStrides[kCopyMaxRank];
};

inline constexpr int kTransposeTile = 64;

/// Blocks of a matrix that is packed along its rows in src and along its
/// columns in dst: dst[j * dstRow + i] = src[i * srcRow + j], for each of
/// `count` matrices that the other dimensions name. In elements.
struct TransposeArguments {
  void *dst;
  const void *src;
  int64_t rows, cols, srcRow, dstRow;
  int64_t tileRows, tileCols; // number of tiles
  int32_t rank;
  int64_t sizes[kCopyMaxRank];
  int64_t dstStrides[kCopyMaxRank];
  int64_t srcStrides[kCopyMaxRank];
};

/// Element i of dst from element i of src, both packed.
struct ConvertArguments {
  void *dst;
  const void *src;
  int64_t count;
};

//===----------------------------------------------------------------------===//
// Collectives through the peers' memory (Peer.cu)
//===----------------------------------------------------------------------===//

inline constexpr int kPeerMembers = 8;
inline constexpr int kPeerBlocks = 128;
inline constexpr int kPeerThreads = 512;

/// Two halves of 8 bytes of data, each with the round it belongs to.
struct alignas(16) PeerPacket {
  uint32_t low, lowRound, high, highRound;
};

/// A gathered message is made of rows: row r of member q comes to
/// dst + r * pitch + q * rowBytes. A message of more rows than one is of less
/// than 4 GiB, and its rows of whole words.
struct GatheredRows {
  int64_t rowBytes, pitch;
};

/// The contribution of a member is the `bytes` bytes at src; the result of a
/// reduction is one row.
struct PeerArguments {
  void *dst;
  const void *src;
  int64_t bytes;
  GatheredRows rows;
  int64_t blockPackets; // of each block of this call
  int64_t slotPackets;  // the most that a block may have
  PeerPacket *inboxes[kPeerMembers];
  uint32_t *rounds;        // per block, of this member
  const uint32_t *aborted; // in memory of the host
  int32_t me, members;
};

//===----------------------------------------------------------------------===//
// Large ones (PeerStream.cu)
//===----------------------------------------------------------------------===//

inline constexpr int kStreamBlocks = 128;
/// Half of a block's threads send, the other half receives.
inline constexpr int kStreamHalf = 512;
inline constexpr int kStreamThreads = 2 * kStreamHalf;
/// Words of 16 bytes of one thread in a chunk.
inline constexpr int kStreamWords = 2;
inline constexpr int kStreamChunk = 16 * kStreamWords * kStreamHalf;
/// Chunks of one member that a block may have in its inbox at once.
inline constexpr int kStreamSlots = 4;

/// Words of a warp lie beside each other: a line. Those that change no result
/// are not sent.
inline constexpr int kStreamLineThreads = 32;
inline constexpr int kStreamLines =
    kStreamWords * kStreamHalf / kStreamLineThreads;
static_assert(kStreamLines == 32, "a chunk's lines are the bits of a word");

/// A count of chunks, alone in its cache line: another GPU writes it.
struct alignas(128) StreamCount {
  uint32_t chunks;
};

/// What lies in the slots of one block: in the low half how many chunks there
/// were with this one, in the high half a bit for each line that was sent.
struct alignas(128) StreamArrivals {
  uint64_t slots[kStreamSlots];
};

/// What a member shares; all zero in the beginning.
struct StreamInbox {
  /// Sent and received by each block so far.
  StreamCount done[kStreamBlocks];
  /// That member m sent into this inbox.
  StreamArrivals arrived[kPeerMembers][kStreamBlocks];
  /// That member m has read of those this one sent it.
  StreamCount taken[kPeerMembers][kStreamBlocks];

  /// Behind it lie the slots: [from member][block][slot].
  static int64_t bytes(int64_t members) {
    return int64_t(sizeof(StreamInbox)) +
           members * kStreamBlocks * kStreamSlots * kStreamChunk;
  }
};

/// Member q gets the `bytes` bytes at src + q * srcStride; bytes behind the
/// ends of src and dst are zeros that nobody keeps. The result of a reduction
/// is one row.
struct StreamArguments {
  char *dst;
  const char *src;
  int64_t dstBytes, srcBytes;
  int64_t bytes, srcStride;
  GatheredRows rows;
  int64_t blockBytes; // of each block, but for the last one
  StreamInbox *inboxes[kPeerMembers];
  const uint32_t *aborted; // in memory of the host
  int32_t me, members;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_KERNELS_ARGUMENTS_H
