//===- FakeDriver.cpp - the driver in host memory ---------------*- C++ -*-===//

#include "Fake.h"

#include "../../../lib/Runtime/Kernels/Arguments.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <thread>

using namespace fake;
using namespace dtensor::rt::cuda;

namespace {

constexpr int kOutOfMemory = 2, kInvalid = 1, kNotReady = 600;
constexpr size_t kDeviceBytes = size_t(1) << 30;

struct Context {
  int device;
};
struct Graph {
  std::vector<Work> work;
};
struct LaunchConfig {
  unsigned grid[3], block[3], sharedBytes;
  Stream *stream;
  void *attributes;
  unsigned numAttributes;
};

Context contexts[64];
thread_local std::vector<Context *> stack;
std::set<std::string> names;
std::mutex namesMutex;

int numDevices() {
  const char *text = std::getenv("FAKE_CUDA_DEVICES");
  return text ? std::atoi(text) : 4;
}

bool hasContext() { return !stack.empty(); }

void *pointer(unsigned long long address) {
  return reinterpret_cast<void *>(address);
}

//===----------------------------------------------------------------------===//
// The runtime's kernels as loops
//===----------------------------------------------------------------------===//

void copyWords(const CopyArguments &args, int bytes, bool isFill) {
  for (int64_t i = 0; i < args.count; ++i) {
    int64_t rest = i, dst = 0, src = 0;
    for (int d = 0; d < args.rank; ++d) {
      int64_t at = rest % args.sizes[d];
      rest /= args.sizes[d];
      dst += at * args.dstStrides[d];
      src += at * args.srcStrides[d];
    }
    char *to = static_cast<char *>(args.dst) + dst * bytes;
    if (!isFill) {
      std::memcpy(to, static_cast<const char *>(args.src) + src * bytes,
                  static_cast<size_t>(bytes));
      continue;
    }
    for (int b = 0; b < bytes; ++b)
      to[b] = reinterpret_cast<const char *>(&args.bits)[b % 8];
  }
}

void transposeTile(const TransposeArguments &args, int bytes, int64_t block) {
  int64_t col = block % args.tileCols * kTransposeTile;
  block /= args.tileCols;
  int64_t row = block % args.tileRows * kTransposeTile;
  block /= args.tileRows;
  int64_t dst = 0, src = 0;
  for (int d = 0; d < args.rank; ++d) {
    dst += block % args.sizes[d] * args.dstStrides[d];
    src += block % args.sizes[d] * args.srcStrides[d];
    block /= args.sizes[d];
  }
  for (int64_t i = row; i < std::min(row + kTransposeTile, args.rows); ++i)
    for (int64_t j = col; j < std::min(col + kTransposeTile, args.cols); ++j)
      std::memcpy(static_cast<char *>(args.dst) +
                      (dst + j * args.dstRow + i) * bytes,
                  static_cast<const char *>(args.src) +
                      (src + i * args.srcRow + j) * bytes,
                  static_cast<size_t>(bytes));
}

void transpose(const TransposeArguments &args, int bytes, int64_t blocks) {
  for (int64_t block = 0; block < blocks; ++block)
    transposeTile(args, bytes, block);
}

template <typename Int>
Int flip(Int bits) {
  constexpr Int kMax = static_cast<Int>(~(Int(1) << (sizeof(Int) * 8 - 1)));
  return bits < 0 ? bits ^ kMax : bits;
}

template <typename Float, typename Int>
Int encodeFloat(Float value, bool isMax) {
  constexpr Int kMin = static_cast<Int>(Int(1) << (sizeof(Int) * 8 - 1));
  if (value != value)
    return isMax ? ~kMin : kMin;
  Int bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return flip(bits);
}

template <typename Float, typename Int>
Float decodeFloat(Int bits) {
  bits = flip(bits);
  Float value;
  std::memcpy(&value, &bits, sizeof(bits));
  return value;
}

template <typename To, typename From, typename Fn>
void convert(const ConvertArguments &args, Fn fn) {
  for (int64_t i = 0; i < args.count; ++i)
    static_cast<To *>(args.dst)[i] = fn(static_cast<const From *>(args.src)[i]);
}

void runConvert(const std::string &name, const ConvertArguments &a) {
  bool isMax = name.find("encode_max") != std::string::npos;
  bool isEncode = name.find("encode") != std::string::npos;
  std::string type = name.substr(name.rfind('_') + 1);
  auto i32 = [&](float x) { return encodeFloat<float, int32_t>(x, isMax); };
  auto f32 = [](int32_t x) { return decodeFloat<float, int32_t>(x); };
  if (type == "f32" && isEncode)
    convert<int32_t, float>(a, i32);
  else if (type == "f32")
    convert<float, int32_t>(a, f32);
  else if (type == "f64" && isEncode)
    convert<int64_t, double>(
        a, [&](double x) { return encodeFloat<double, int64_t>(x, isMax); });
  else if (type == "f64")
    convert<double, int64_t>(
        a, [](int64_t x) { return decodeFloat<double, int64_t>(x); });
  else if (type == "f16" && isEncode)
    convert<int32_t, uint16_t>(a, [&](uint16_t x) { return i32(fromF16(x)); });
  else if (type == "f16")
    convert<uint16_t, int32_t>(a, [&](int32_t x) { return toF16(f32(x)); });
  else if (type == "bf16" && isEncode)
    convert<int32_t, uint16_t>(a, [&](uint16_t x) { return i32(fromBf16(x)); });
  else if (type == "bf16")
    convert<uint16_t, int32_t>(a, [&](int32_t x) { return toBf16(f32(x)); });
  else if (type == "half32" && isEncode)
    convert<float, uint16_t>(a, fromF16);
  else if (type == "half32")
    convert<uint16_t, float>(a, toF16);
  else if (type == "bhalf32" && isEncode)
    convert<float, uint16_t>(a, fromBf16);
  else if (type == "bhalf32")
    convert<uint16_t, float>(a, toBf16);
  else if (isEncode)
    convert<int32_t, int16_t>(a, [](int16_t x) { return x; });
  else
    convert<int16_t, int32_t>(a, [](int32_t x) { return x; });
}

} // namespace

FAKE_EXPORT int cuInit(unsigned) { return 0; }
FAKE_EXPORT int cuDriverGetVersion(int *version) {
  *version = 13000;
  return 0;
}
FAKE_EXPORT int cuGetErrorName(int, const char **name) {
  *name = "CUDA_ERROR_FAKE";
  return 0;
}
FAKE_EXPORT int cuGetErrorString(int, const char **text) {
  *text = "an error of the fake driver";
  return 0;
}
FAKE_EXPORT int cuDeviceGetCount(int *count) {
  *count = numDevices();
  return 0;
}
FAKE_EXPORT int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return ordinal < numDevices() ? 0 : kInvalid;
}
FAKE_EXPORT int cuDeviceGetName(char *name, int size, int) {
  std::strncpy(name, "Fake", static_cast<size_t>(size));
  return 0;
}
FAKE_EXPORT int cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 4;
  return 0;
}
FAKE_EXPORT int cuDevicePrimaryCtxRetain(Context **context, int device) {
  *context = &contexts[device];
  contexts[device].device = device;
  return 0;
}
FAKE_EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
FAKE_EXPORT int cuCtxGetCurrent(Context **context) {
  *context = stack.empty() ? nullptr : stack.back();
  return 0;
}
FAKE_EXPORT int cuCtxPushCurrent_v2(Context *context) {
  stack.push_back(context);
  return 0;
}
FAKE_EXPORT int cuCtxPopCurrent_v2(Context **context) {
  if (stack.empty())
    return kInvalid;
  *context = stack.back();
  stack.pop_back();
  return 0;
}

FAKE_EXPORT int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  if (!hasContext())
    return kInvalid;
  if (bytes > kDeviceBytes)
    return kOutOfMemory;
  void *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  std::memset(memory, 0xcb, bytes);
  *address = reinterpret_cast<unsigned long long>(memory);
  return 0;
}
FAKE_EXPORT int cuMemFree_v2(unsigned long long address) {
  std::free(pointer(address));
  return 0;
}
FAKE_EXPORT int cuMemGetInfo_v2(size_t *free, size_t *total) {
  *free = *total = kDeviceBytes;
  return 0;
}
FAKE_EXPORT int cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  *memory = std::calloc(bytes, 1);
  return hasContext() ? 0 : kInvalid;
}
FAKE_EXPORT int cuMemFreeHost(void *memory) {
  std::free(memory);
  return 0;
}
FAKE_EXPORT int cuDeviceCanAccessPeer(int *can, int, int) {
  *can = std::getenv("FAKE_CUDA_NO_PEERS") == nullptr;
  return 0;
}
FAKE_EXPORT int cuCtxEnablePeerAccess(Context *, unsigned) { return 0; }
/// Memory of another process cannot be opened.
FAKE_EXPORT int cuIpcGetMemHandle(void *, unsigned long long) {
  return kInvalid;
}
FAKE_EXPORT int cuIpcOpenMemHandle_v2(unsigned long long *, ...) {
  return kInvalid;
}
FAKE_EXPORT int cuIpcCloseMemHandle(unsigned long long) { return kInvalid; }
FAKE_EXPORT int cuMemcpyDtoDAsync_v2(unsigned long long dst,
                                     unsigned long long src, size_t bytes,
                                     Stream *stream) {
  stream->add([=] { std::memmove(pointer(dst), pointer(src), bytes); });
  return 0;
}
FAKE_EXPORT int cuMemcpyHtoDAsync_v2(unsigned long long dst, const void *src,
                                     size_t bytes, Stream *stream) {
  // Memory that is not pinned is read before the call returns.
  std::vector<char> copy(static_cast<const char *>(src),
                         static_cast<const char *>(src) + bytes);
  stream->add([=] { std::memcpy(pointer(dst), copy.data(), bytes); });
  return 0;
}
FAKE_EXPORT int cuMemcpyDtoHAsync_v2(void *dst, unsigned long long src,
                                     size_t bytes, Stream *stream) {
  stream->add([=] { std::memcpy(dst, pointer(src), bytes); });
  return 0;
}
FAKE_EXPORT int cuMemsetD8Async(unsigned long long dst, unsigned char value,
                                size_t bytes, Stream *stream) {
  stream->add([=] { std::memset(pointer(dst), value, bytes); });
  return 0;
}

FAKE_EXPORT int cuStreamCreateWithPriority(Stream **stream, unsigned, int) {
  *stream = new Stream();
  return hasContext() ? 0 : kInvalid;
}
FAKE_EXPORT int cuStreamDestroy_v2(Stream *stream) {
  delete stream;
  return 0;
}
FAKE_EXPORT int cuStreamSynchronize(Stream *stream) {
  stream->wait();
  return 0;
}
FAKE_EXPORT int cuStreamQuery(Stream *stream) {
  return stream->isIdle() ? 0 : kNotReady;
}
FAKE_EXPORT int cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  Stream *source = event->source;
  Stream *origin = !source               ? nullptr
                   : source->isCapturing ? source
                                         : source->origin;
  if (!origin)
    return 0;
  if (stream == origin) {
    origin->apart.erase(source);
  } else {
    stream->origin = origin;
    origin->joined.insert(stream);
  }
  return 0;
}
FAKE_EXPORT int cuStreamBeginCapture_v2(Stream *stream, int) {
  stream->isCapturing = true;
  stream->captured.clear();
  return 0;
}
FAKE_EXPORT int cuStreamEndCapture(Stream *stream, Graph **graph) {
  stream->isCapturing = false;
  for (Stream *other : stream->joined)
    other->origin = nullptr;
  bool isWhole = stream->apart.empty();
  stream->joined.clear();
  stream->apart.clear();
  *graph = isWhole ? new Graph{std::move(stream->captured)} : nullptr;
  return isWhole ? 0 : kInvalid;
}
FAKE_EXPORT int cuGraphInstantiateWithFlags(Graph **exec, Graph *graph,
                                            unsigned long long) {
  *exec = new Graph(*graph);
  return 0;
}
FAKE_EXPORT int cuGraphLaunch(Graph *exec, Stream *stream) {
  for (const Work &work : exec->work)
    stream->add(work);
  return 0;
}
FAKE_EXPORT int cuGraphDestroy(Graph *graph) {
  delete graph;
  return 0;
}
FAKE_EXPORT int cuGraphExecDestroy(Graph *graph) {
  delete graph;
  return 0;
}
FAKE_EXPORT int cuEventCreate(Event **event, unsigned) {
  *event = new Event;
  return 0;
}
FAKE_EXPORT int cuEventRecord(Event *event, Stream *stream) {
  event->source = stream;
  return 0;
}
FAKE_EXPORT int cuEventElapsedTime(float *ms, void *, void *) {
  *ms = 0;
  return 0;
}
FAKE_EXPORT int cuEventDestroy_v2(Event *event) {
  delete event;
  return 0;
}

FAKE_EXPORT int cuModuleLoadData(void **module, const void *data) {
  *module = const_cast<void *>(data);
  return data ? 0 : kInvalid;
}
FAKE_EXPORT int cuModuleUnload(void *) { return 0; }
FAKE_EXPORT int cuModuleGetFunction(const std::string **function, void *,
                                    const char *name) {
  std::lock_guard lock(namesMutex);
  *function = &*names.insert(name).first;
  return 0;
}
FAKE_EXPORT int cuTensorMapEncodeTiled(void *, int, uint32_t, void *,
                                       const uint64_t *, const uint64_t *,
                                       const uint32_t *, const uint32_t *, int,
                                       int, int, int) {
  return 0;
}
FAKE_EXPORT int cuFuncSetAttribute(void *, int, int) { return 0; }
FAKE_EXPORT int cuOccupancyMaxActiveClusters(int *clusters, void *,
                                             const LaunchConfig *) {
  *clusters = 4;
  return 0;
}

namespace {

/// What a kernel of this name does with its one argument; null: nothing. The
/// kernels of bundles do nothing.
Work kernelWork(const std::string &name, unsigned grid, const void *argument) {
  auto has = [&](const char *part) {
    return name.find(part) != std::string::npos;
  };
  int last = std::atoi(name.c_str() + name.rfind('_') + 1);
  if (has("transpose")) {
    auto args = *static_cast<const TransposeArguments *>(argument);
    return [=] { transpose(args, last, grid); };
  }
  if (has("attention"))
    return attentionWork(name, argument);
  if (has("peer") || has("stream"))
    return peerWork(name, grid, argument);
  if (has("copy") || has("fill")) {
    auto args = *static_cast<const CopyArguments *>(argument);
    bool isFill = has("fill");
    return [=] { copyWords(args, last, isFill); };
  }
  if (has("encode") || has("decode")) {
    auto args = *static_cast<const ConvertArguments *>(argument);
    return [=] { runConvert(name, args); };
  }
  return nullptr;
}

} // namespace

FAKE_EXPORT int cuLaunchKernelEx(const LaunchConfig *config,
                                 const std::string *function, void **params,
                                 void **) {
  if (!hasContext() || config->grid[0] == 0 || config->block[0] == 0)
    return kInvalid;
  if (Work work = kernelWork(*function, config->grid[0], params[0]))
    config->stream->add(std::move(work));
  return 0;
}
