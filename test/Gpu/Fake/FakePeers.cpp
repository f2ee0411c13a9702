//===- FakePeers.cpp - what members do with their memory --------*- C++ -*-===//
//
// The kernels of Peer.cu and PeerStream.cu; the members' streams are threads.
//
//===----------------------------------------------------------------------===//

#include "Fake.h"

#include "../../../lib/Runtime/Kernels/Arguments.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

using namespace fake;
using namespace dtensor::rt::cuda;

namespace {

/// Where byte `offset` of the message of member q lies.
int64_t placeOf(const GatheredRows &rows, int q, int64_t offset) {
  return offset / rows.rowBytes * rows.pitch + q * rows.rowBytes +
         offset % rows.rowBytes;
}

//===----------------------------------------------------------------------===//
// Packets
//===----------------------------------------------------------------------===//

using Round = std::atomic_ref<uint32_t>;

struct PeerRun {
  PeerArguments args;
  int64_t block;
  uint32_t round = args.rounds[block] + 1;

  PeerPacket *slot(int of, int from) const {
    int64_t number = (round % 2) * args.members + from;
    return args.inboxes[of] + (number * kPeerBlocks + block) * args.slotPackets;
  }
  int64_t begin() const { return block * args.blockPackets; }
  int64_t end() const {
    return std::min(begin() + args.blockPackets, (args.bytes + 7) / 8);
  }
  int64_t bytesAt(int64_t i) const {
    return std::min<int64_t>(8, args.bytes - 8 * i);
  }

  void send() const {
    for (int64_t i = begin(); i < end(); ++i) {
      uint32_t halves[2] = {};
      std::memcpy(halves, static_cast<const char *>(args.src) + 8 * i,
                  static_cast<size_t>(bytesAt(i)));
      for (int q = 0; q < args.members; ++q) {
        PeerPacket &to = slot(q, args.me)[i - begin()];
        to.low = halves[0];
        to.high = halves[1];
        Round(to.highRound).store(round, std::memory_order_release);
      }
    }
  }
  /// Null: aborted.
  const PeerPacket *receive(int q, int64_t i) const {
    PeerPacket &from = slot(args.me, q)[i - begin()];
    while (Round(from.highRound).load(std::memory_order_acquire) != round) {
      if (*static_cast<const volatile uint32_t *>(args.aborted))
        return nullptr;
      std::this_thread::yield();
    }
    return &from;
  }
};

void gatherPeers(const PeerRun &run) {
  for (int q = 0; q < run.args.members; ++q)
    for (int64_t i = run.begin(); i < run.end(); ++i)
      if (const PeerPacket *packet = run.receive(q, i)) {
        uint32_t halves[2] = {packet->low, packet->high};
        std::memcpy(static_cast<char *>(run.args.dst) +
                        placeOf(run.args.rows, q, 8 * i),
                    halves, static_cast<size_t>(run.bytesAt(i)));
      }
}

float loadElement(const char *data, const std::string &type) {
  if (type == "f32") {
    float value;
    std::memcpy(&value, data, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, data, 2);
  return type == "bf16" ? fromBf16(bits) : fromF16(bits);
}

void storeElement(char *to, float value, const std::string &type) {
  if (type == "f32") {
    std::memcpy(to, &value, 4);
    return;
  }
  uint16_t bits = type == "bf16" ? toBf16(value) : toF16(value);
  std::memcpy(to, &bits, 2);
}

std::string typeOf(const std::string &name) {
  return name.substr(name.rfind('_') + 1);
}

float combine(const std::string &name, float a, float b) {
  auto has = [&](const char *op) { return name.find(op) != std::string::npos; };
  if (has("sum"))
    return a + b;
  if (has("product"))
    return a * b;
  return (has("max") ? a > b : a < b) || a != a ? a : b;
}

void reducePeers(const std::string &name, const PeerRun &run) {
  std::string type = typeOf(name);
  int64_t bytes = type == "f32" ? 4 : 2;
  for (int64_t i = run.begin(); i < run.end(); ++i) {
    float sums[4] = {};
    for (int q = 0; q < run.args.members; ++q) {
      const PeerPacket *packet = run.receive(q, i);
      if (!packet)
        return;
      char data[8];
      std::memcpy(data, &packet->low, 4);
      std::memcpy(data + 4, &packet->high, 4);
      for (int64_t e = 0; e < 8 / bytes; ++e) {
        float next = loadElement(data + e * bytes, type);
        sums[e] = q == 0 ? next : combine(name, sums[e], next);
      }
    }
    for (int64_t e = 0; e * bytes < run.bytesAt(i); ++e)
      storeElement(static_cast<char *>(run.args.dst) + 8 * i + e * bytes,
                   sums[e], type);
  }
}

void runPeers(const std::string &name, const PeerArguments &args,
              int64_t blocks) {
  for (int64_t block = 0; block < blocks; ++block) {
    PeerRun run{args, block};
    run.send();
    if (name.find("gather") != std::string::npos)
      gatherPeers(run);
    else
      reducePeers(name, run);
    args.rounds[block] = run.round;
  }
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

struct StreamRun {
  const std::string &name;
  const StreamArguments &args;
  int64_t block;
  StreamInbox &own = *args.inboxes[args.me];
  uint32_t before = own.done[block].chunks;
  int64_t begin = block * args.blockBytes;
  int64_t bytes = std::min(args.blockBytes, args.bytes - begin);

  uint32_t numChunks() const {
    return static_cast<uint32_t>((bytes + kStreamChunk - 1) / kStreamChunk);
  }
  int64_t chunkBytes(uint32_t chunk) const {
    return std::min<int64_t>(kStreamChunk, bytes - chunk * kStreamChunk);
  }
  char *slot(int of, int from, uint32_t chunk) const {
    int64_t number = from * kStreamBlocks + block;
    number = number * kStreamSlots + (before + chunk) % kStreamSlots;
    return reinterpret_cast<char *>(args.inboxes[of] + 1) +
           number * kStreamChunk;
  }

  /// Of the number of a chunk; the bits of its lines lie above.
  std::atomic_ref<uint64_t> arrival(int of, int from, uint32_t chunk) const {
    return std::atomic_ref(args.inboxes[of]
                               ->arrived[from][block]
                               .slots[(before + chunk) % kStreamSlots]);
  }
  /// Until read() is at least `wanted`; false: aborted.
  template <typename Fn>
  bool waitFor(Fn read, uint32_t wanted) const {
    while (static_cast<int32_t>(static_cast<uint32_t>(read()) - wanted) < 0) {
      if (*static_cast<const volatile uint32_t *>(args.aborted))
        return false;
      std::this_thread::yield();
    }
    return true;
  }

  /// What member q gets of this one; zeros behind the source.
  std::string message(int q, uint32_t chunk) const {
    std::string data(static_cast<size_t>(chunkBytes(chunk)), '\0');
    int64_t at = q * args.srcStride + begin + chunk * kStreamChunk;
    int64_t there = std::min(chunkBytes(chunk), args.srcBytes - at);
    if (there > 0)
      std::memcpy(data.data(), args.src + at, static_cast<size_t>(there));
    return data;
  }
  /// Every line, as a member may.
  bool send(uint32_t chunk) const {
    for (int q = 0; q < args.members; ++q) {
      if (q == args.me)
        continue;
      auto taken = [&] {
        return Round(own.taken[q][block].chunks)
            .load(std::memory_order_acquire);
      };
      if (!waitFor(taken, before + chunk + 1 - kStreamSlots))
        return false;
      std::string data = message(q, chunk);
      std::memcpy(slot(q, args.me, chunk), data.data(), data.size());
      arrival(q, args.me, chunk)
          .store(~uint64_t(0) << 32 | (before + chunk + 1),
                 std::memory_order_release);
    }
    return true;
  }
  bool receive(uint32_t chunk) const {
    std::vector<std::string> parts;
    for (int q = 0; q < args.members; ++q) {
      if (q == args.me) {
        parts.push_back(message(q, chunk));
        continue;
      }
      auto arrived = [&] {
        return arrival(args.me, q, chunk).load(std::memory_order_acquire);
      };
      if (!waitFor(arrived, before + chunk + 1))
        return false;
      parts.emplace_back(slot(args.me, q, chunk),
                         static_cast<size_t>(chunkBytes(chunk)));
      Round(args.inboxes[q]->taken[args.me][block].chunks)
          .store(before + chunk + 1, std::memory_order_release);
    }
    keep(chunk, parts);
    return true;
  }
  void keep(uint32_t chunk, std::vector<std::string> &parts) const {
    if (name.find("gather") != std::string::npos) {
      for (int q = 0; q < args.members; ++q)
        store(chunk, parts[static_cast<size_t>(q)], q);
      return;
    }
    std::string type = typeOf(name), &result = parts[0];
    size_t width = type == "f32" ? 4 : 2;
    for (size_t at = 0; at < result.size(); at += width) {
      float sum = loadElement(&result[at], type);
      for (size_t q = 1; q < parts.size(); ++q)
        sum = combine(name, sum, loadElement(&parts[q][at], type));
      storeElement(&result[at], sum, type);
    }
    store(chunk, result, 0);
  }
  void store(uint32_t chunk, const std::string &data, int q) const {
    for (size_t at = 0; at < data.size(); ++at) {
      int64_t offset = begin + chunk * kStreamChunk + static_cast<int64_t>(at);
      int64_t place = placeOf(args.rows, q, offset);
      if (place < args.dstBytes)
        args.dst[place] = data[at];
    }
  }

  void run() const {
    for (uint32_t chunk = 0; chunk < numChunks(); ++chunk)
      if (!send(chunk) || !receive(chunk))
        return;
    own.done[block].chunks = before + numChunks();
  }
};

} // namespace

Work fake::peerWork(const std::string &name, unsigned grid,
                    const void *argument) {
  if (name.find("stream") == std::string::npos) {
    auto args = *static_cast<const PeerArguments *>(argument);
    return [=] { runPeers(name, args, grid); };
  }
  auto args = *static_cast<const StreamArguments *>(argument);
  return [=] {
    for (int64_t block = 0; block < grid; ++block)
      StreamRun{name, args, block}.run();
  };
}
