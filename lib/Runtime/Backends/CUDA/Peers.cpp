//===- Peers.cpp - memory that the members of a group share -----*- C++ -*-===//

#include "Peers.h"

#include "../../Core/Error.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

static constexpr int64_t kRoundBytes = kPeerBlocks * sizeof(uint32_t);

namespace {

/// The longest messages that go as packets, and as streams; above them the
/// next one is faster, and NCCL at last.
struct PeerLimits {
  int64_t packets, stream;
};

PeerLimits limitsOf(int64_t members) {
  static const char *const choice = std::getenv("DTENSOR_PEERS");
  bool isOff = choice && std::strcmp(choice, "0") == 0;
  if (isOff || members < 2 || members > kPeerMembers)
    return {0, 0};
  if (members == 2)
    return {int64_t(512) << 10, INT64_MAX};
  return {(int64_t(4) << 20) / (members - 1), 0};
}

} // namespace

static int64_t ceilDiv(int64_t value, int64_t by) {
  return (value + by - 1) / by;
}

AbortWord::AbortWord(Context context) : context(context) {
  CurrentContext current(context);
  void *memory = nullptr;
  check(getDriver().memHostAlloc(&memory, sizeof(*word),
                                 kHostPortable | kHostMapped),
        "taking memory of the host");
  word = static_cast<uint32_t *>(memory);
  set(false);
}

AbortWord::~AbortWord() {
  CurrentContext current(context);
  getDriver().memFreeHost(word);
}

bool Peers::serves(int64_t members) { return limitsOf(members).packets > 0; }

bool Peers::takes(CollectiveKind kind, int64_t members, int64_t bytes,
                  bool isEven) {
  PeerLimits limits = limitsOf(members);
  bool mayBePackets = isEven && kind != CollectiveKind::ReduceScatter;
  return bytes <= limits.stream || (mayBePackets && bytes <= limits.packets);
}

bool Peers::reduces(int32_t dtype) {
  return dtype == DTENSOR_RT_f32 || dtype == DTENSOR_RT_f16 ||
         dtype == DTENSOR_RT_bf16;
}

//===----------------------------------------------------------------------===//
// Meeting
//===----------------------------------------------------------------------===//

/// How another member finds an inbox: within a process by its address, else by
/// a handle that means something on one host only.
struct Peers::Invitation {
  char host[64] = {};
  DevicePtr memory = 0; // 0: there is none
  Context context = nullptr;
  DeviceId device = 0;
  IpcHandle handle = {};
  bool hasHandle = false;

  std::string write() const {
    return {reinterpret_cast<const char *>(this), sizeof(*this)};
  }
  static Invitation read(const std::string &text) {
    Invitation invitation;
    if (text.size() == sizeof(invitation))
      std::memcpy(static_cast<void *>(&invitation), text.data(), text.size());
    return invitation;
  }
};

/// Of rounds and packets, before the streams.
static int64_t packetBytes(int64_t members, int64_t slotPackets) {
  int64_t packets = 2 * members * kPeerBlocks * slotPackets;
  return kRoundBytes + packets * static_cast<int64_t>(sizeof(PeerPacket));
}

Peers::Invitation Peers::invite() {
  const Driver &driver = getDriver();
  Invitation invitation;
  gethostname(invitation.host, sizeof(invitation.host) - 1);
  invitation.context = gpu.getContext();
  invitation.device = gpu.getDevice();
  int64_t streams = limitsOf(members).stream ? StreamInbox::bytes(members) : 0;
  auto bytes = static_cast<size_t>(packetBytes(members, slotPackets) + streams);
  if (driver.memAlloc(&memory, bytes) != 0)
    memory = 0;
  else if (driver.memsetD8(memory, 0, bytes, gpu.getStream()) != 0 ||
           driver.streamSynchronize(gpu.getStream()) != 0)
    return invitation;
  invitation.memory = memory;
  invitation.hasHandle =
      memory && driver.ipcGetMemHandle(&invitation.handle, memory) == 0;
  return invitation;
}

bool Peers::open(const Invitation &invitation, int64_t member) {
  const Driver &driver = getDriver();
  DevicePtr base = invitation.memory;
  char host[64] = {};
  gethostname(host, sizeof(host) - 1);
  if (!base || std::strcmp(host, invitation.host) != 0)
    return false;
  if (areProcesses && member != me) {
    if (!invitation.hasHandle ||
        driver.ipcOpenMemHandle(&base, invitation.handle, kIpcLazyPeers) != 0)
      return false;
    opened.push_back(base);
  } else if (member != me) {
    int can = 0;
    driver.deviceCanAccessPeer(&can, gpu.getDevice(), invitation.device);
    Result result = can ? driver.ctxEnablePeerAccess(invitation.context, 0) : 0;
    if (!can || (result != 0 && result != kErrorPeerAlreadyEnabled))
      return false;
  }
  packetInboxes[member] = reinterpret_cast<PeerPacket *>(base + kRoundBytes);
  streamInboxes[member] = reinterpret_cast<StreamInbox *>(
      base + static_cast<DevicePtr>(packetBytes(members, slotPackets)));
  return true;
}

Peers::Peers(Gpu &gpu, const Group &group, bool areProcesses,
             const AbortWord &aborted, Store &store, const std::string &key)
    : gpu(gpu), areProcesses(areProcesses), aborted(aborted),
      members(group.size()), me(group.position),
      slotPackets(ceilDiv(limitsOf(members).packets, 8 * kPeerBlocks)) {
  auto place = [&](const char *what, int64_t member) {
    return concat(key, "/", what, "/", member);
  };
  store.set(place("inbox", me), invite().write());
  bool isGood = true;
  for (int64_t q = 0; q < members; ++q) {
    Invitation other =
        Invitation::read(store.get(place("inbox", q), kMeetSeconds));
    isGood = isGood && open(other, q);
  }
  // One that cannot is enough.
  store.set(place("good", me), isGood ? "1" : "0");
  usable = true;
  for (int64_t q = 0; q < members; ++q)
    usable &= store.get(place("good", q), kMeetSeconds) == "1";
}

Peers::~Peers() {
  for (DevicePtr inbox : opened)
    getDriver().ipcCloseMemHandle(inbox);
  if (memory)
    getDriver().memFree(memory);
}

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

void Peers::sendPackets(const std::string &what, const Arrays &arrays,
                        const GatheredRows &rows) {
  int64_t packets = ceilDiv(arrays.srcBytes, 8);
  int64_t blocks =
      std::min<int64_t>(ceilDiv(packets, kPeerThreads), kPeerBlocks);
  PeerArguments args = {};
  args.dst = arrays.dst;
  args.src = arrays.src;
  args.bytes = arrays.srcBytes;
  args.rows = rows;
  args.blockPackets = ceilDiv(packets, blocks);
  args.slotPackets = slotPackets;
  std::copy(std::begin(packetInboxes), std::end(packetInboxes), args.inboxes);
  args.rounds = reinterpret_cast<uint32_t *>(memory);
  args.aborted = aborted.get();
  args.me = static_cast<int32_t>(me);
  args.members = static_cast<int32_t>(members);
  // Every block has a packet: one without would run ahead of the others'.
  gpu.launchOwn(("dtensor_peer_" + what).c_str(),
                ceilDiv(packets, args.blockPackets), kPeerThreads, &args);
}

void Peers::stream(const std::string &what, const Arrays &arrays, int64_t bytes,
                   int64_t srcStride, const GatheredRows &rows) {
  int64_t words = ceilDiv(bytes, 16);
  int64_t blocks =
      std::min<int64_t>(ceilDiv(words, kStreamHalf), kStreamBlocks);
  StreamArguments args = {};
  args.dst = static_cast<char *>(arrays.dst);
  args.src = static_cast<const char *>(arrays.src);
  args.dstBytes = arrays.dstBytes;
  args.srcBytes = arrays.srcBytes;
  args.bytes = bytes;
  args.srcStride = srcStride;
  args.rows = rows;
  args.blockBytes = 16 * ceilDiv(words, blocks);
  std::copy(std::begin(streamInboxes), std::end(streamInboxes), args.inboxes);
  args.aborted = aborted.get();
  args.me = static_cast<int32_t>(me);
  args.members = static_cast<int32_t>(members);
  gpu.launchOwn(("dtensor_stream_" + what).c_str(),
                ceilDiv(bytes, args.blockBytes), kStreamThreads, &args);
}

static std::string nameOf(Reduce kind, int32_t dtype) {
  static const char *const names[] = {"sum", "max", "min", "product"};
  return concat(names[static_cast<int>(kind)], "_",
                dtensor_rt_dtype_name(dtype));
}

void Peers::allReduce(const Arrays &arrays, int32_t dtype, Reduce kind) {
  GatheredRows row = {arrays.srcBytes, 0};
  if (arrays.srcBytes <= limitsOf(members).packets)
    sendPackets(nameOf(kind, dtype), arrays, row);
  else
    stream(nameOf(kind, dtype), arrays, arrays.srcBytes, 0, row);
}

void Peers::allGather(const Arrays &arrays, int64_t bytes,
                      const GatheredRows &rows) {
  bool isEven = arrays.dstBytes == members * bytes;
  if (isEven && bytes <= limitsOf(members).packets)
    sendPackets("gather", arrays, rows);
  else
    stream("gather", arrays, bytes, 0, rows);
}

void Peers::reduceScatter(const Arrays &arrays, int64_t bytes, int32_t dtype,
                          Reduce kind) {
  stream(nameOf(kind, dtype), arrays, bytes, bytes, {bytes, 0});
}
