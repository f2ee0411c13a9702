//===- Peers.cpp - memory that the members of a group share -----*- C++ -*-===//

#include "Peers.h"

#include "../../Core/Error.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

/// Above these, in all messages of a member together, NCCL is as fast.
static constexpr int64_t kMostBytes = int64_t(4) << 20;
static constexpr int64_t kRoundBytes = kPeerBlocks * sizeof(uint32_t);

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

int64_t Peers::mostBytes(int64_t members) {
  static const char *const choice = std::getenv("DTENSOR_PEERS");
  bool isOff = choice && std::strcmp(choice, "0") == 0;
  return isOff || members < 2 || members > kPeerMembers
             ? 0
             : kMostBytes / (members - 1);
}

bool Peers::mayJoinProcesses() {
  static const char *const choice = std::getenv("DTENSOR_PEERS");
  return choice && std::strcmp(choice, "processes") == 0;
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
  int64_t process = 0;
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

Peers::Invitation Peers::invite() {
  const Driver &driver = getDriver();
  Invitation invitation;
  gethostname(invitation.host, sizeof(invitation.host) - 1);
  invitation.process = getpid();
  invitation.context = gpu.getContext();
  invitation.device = gpu.getDevice();
  int64_t packets = 2 * members * kPeerBlocks * slotPackets;
  auto bytes = static_cast<size_t>(kRoundBytes) +
               static_cast<size_t>(packets) * sizeof(PeerPacket);
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
  if (invitation.process != getpid()) {
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
  inboxes[member] = reinterpret_cast<PeerPacket *>(base + kRoundBytes);
  return true;
}

Peers::Peers(Gpu &gpu, const Group &group, const AbortWord &aborted,
             Store &store, const std::string &key, double seconds)
    : gpu(gpu), aborted(aborted), members(group.size()), me(group.position),
      slotPackets(ceilDiv(mostBytes(members), 8 * kPeerBlocks)) {
  auto place = [&](const char *what, int64_t member) {
    return concat(key, "/", what, "/", member);
  };
  store.set(place("inbox", me), invite().write());
  bool isGood = true;
  for (int64_t q = 0; q < members; ++q) {
    Invitation other = Invitation::read(store.get(place("inbox", q), seconds));
    isGood = isGood && open(other, q);
  }
  // One that cannot is enough.
  store.set(place("good", me), isGood ? "1" : "0");
  usable = true;
  for (int64_t q = 0; q < members; ++q)
    usable &= store.get(place("good", q), seconds) == "1";
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

void Peers::launch(const std::string &kernel, void *dst, const void *src,
                   int64_t bytes) {
  int64_t packets = ceilDiv(bytes, 8);
  int64_t blocks =
      std::min<int64_t>(ceilDiv(packets, kPeerThreads), kPeerBlocks);
  PeerArguments args = {};
  args.dst = dst;
  args.src = src;
  args.bytes = bytes;
  args.blockPackets = ceilDiv(packets, blocks);
  args.slotPackets = slotPackets;
  std::copy(std::begin(inboxes), std::end(inboxes), args.inboxes);
  args.rounds = reinterpret_cast<uint32_t *>(memory);
  args.aborted = aborted.get();
  args.me = static_cast<int32_t>(me);
  args.members = static_cast<int32_t>(members);
  // Every block has a packet: one without would run ahead of the others'.
  gpu.launchOwn(kernel.c_str(), ceilDiv(packets, args.blockPackets),
                kPeerThreads, &args);
}

void Peers::allReduce(void *dst, const void *src, int64_t count, int32_t dtype,
                      Reduce kind) {
  static const char *const names[] = {"sum", "max", "min", "product"};
  launch(concat("dtensor_peer_", names[static_cast<int>(kind)], "_",
                dtensor_rt_dtype_name(dtype)),
         dst, src, count * static_cast<int64_t>(dtensor_rt_dtype_bytes(dtype)));
}

void Peers::allGather(void *dst, const void *src, int64_t bytes) {
  launch("dtensor_peer_gather", dst, src, bytes);
}
