//===- Gpu.cpp - one GPU as seen by one rank --------------------*- C++ -*-===//

#include "Gpu.h"

#include "Images.h"

#include "../../Core/Error.h"
#include "../../Kernels/Arguments.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

Scratch::Scratch(Gpu &gpu, int64_t bytes)
    : gpu(gpu), pointer(gpu.allocate(bytes)) {
  if (!pointer)
    raise(DTENSOR_RT_OUT_OF_MEMORY, gpu.describe(), " has no ", bytes,
          " bytes for a temporary");
}

Gpu::Gpu(int ordinal) : ordinal(ordinal) {
  const Driver &driver = getDriver();
  int count = 0;
  check(driver.deviceGetCount(&count), "counting GPUs");
  if (ordinal < 0 || ordinal >= count)
    raise(DTENSOR_RT_INVALID_ARGUMENT, "there is no GPU ", ordinal,
          ", this machine has ", count);
  check(driver.deviceGet(&device, ordinal), "opening a GPU");
  char text[256] = {};
  driver.deviceGetName(text, sizeof(text) - 1, device);
  name = text;
  int major = 0, minor = 0;
  driver.deviceGetAttribute(&major, kAttributeMajor, device);
  driver.deviceGetAttribute(&minor, kAttributeMinor, device);
  driver.deviceGetAttribute(&multiprocessors, kAttributeMultiprocessors,
                            device);
  arch = major * 10 + minor;
  check(driver.primaryCtxRetain(&context, device), "opening a GPU");
  CurrentContext current(context);
  check(driver.streamCreate(&ownStream, kStreamNonBlocking, 0),
        "making a stream");
  check(driver.eventCreate(&handover, kEventDisableTiming), "making an event");
  stream = ownStream;
}

Gpu::~Gpu() {
  const Driver &driver = getDriver();
  {
    CurrentContext current(context);
    products.reset();
    if (kernels)
      driver.moduleUnload(kernels);
    storage.clear();
    pool.clear();
    driver.eventDestroy(handover);
    driver.streamDestroy(ownStream);
  }
  driver.primaryCtxRelease(device);
}

std::string Gpu::describe() const {
  return concat("GPU ", ordinal, " (", name, ", sm_", arch, ")");
}

void Gpu::setStream(Stream next) {
  if (!next)
    next = ownStream;
  if (next == stream)
    return;
  const Driver &driver = getDriver();
  check(driver.eventRecord(handover, stream), "changing the stream");
  check(driver.streamWaitEvent(next, handover, 0), "changing the stream");
  stream = next;
}

bool Gpu::isIdle() const {
  Result result = getDriver().streamQuery(stream);
  if (result == kErrorNotReady)
    return false;
  check(result, "running on the GPU");
  return true;
}

Function Gpu::getKernel(const char *kernel, int64_t sharedBytes) {
  auto it = functions.find(kernel);
  if (it != functions.end())
    return it->second;
  if (!kernels)
    kernels = loadPrebuiltKernels(describe());
  Function function;
  check(getDriver().moduleGetFunction(&function, kernels, kernel), kernel);
  if (sharedBytes > 48 * 1024)
    check(getDriver().functionSetAttribute(function, kFunctionMaxDynamicShared,
                                           static_cast<int>(sharedBytes)),
          kernel);
  functions.emplace(kernel, function);
  return function;
}

void Gpu::launch(Function function, const int64_t (&grid)[3],
                 const int64_t (&block)[3], int64_t sharedBytes,
                 void **params) {
  if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0)
    return;
  auto u = [](int64_t value) { return static_cast<unsigned>(value); };
  for (int64_t extent : grid)
    if (extent < 0 || extent > INT32_MAX)
      raise(DTENSOR_RT_RUN_FAILED, "a kernel has grid ", grid[0], "x", grid[1],
            "x", grid[2]);
  LaunchConfig config = {u(grid[0]),  u(grid[1]),  u(grid[2]),
                         u(block[0]), u(block[1]), u(block[2]),
                         u(sharedBytes), stream,   nullptr, 0};
  ++numKernels;
  check(getDriver().launchKernel(&config, function, params, nullptr),
        "launching a kernel");
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

namespace {

/// Bytes: sizes, dst and src strides of a dimension.
struct CopyDim {
  int64_t size, dst, src;
};

/// Innermost first; dimensions that continue each other are merged. Returns
/// the number of dimensions, at least 1.
int mergeDims(const View &dst, const View &src, CopyDim *dims) {
  int64_t bytes = dst.elementBytes();
  int count = 1;
  dims[0] = {bytes, 1, 1};
  for (int64_t d = dst.rank - 1; d >= 0; --d) {
    if (dst.sizes[d] == 1)
      continue;
    CopyDim dim = {dst.sizes[d], dst.strides[d] * bytes,
                   src.strides[d] * bytes};
    CopyDim &inner = dims[count - 1];
    if (dim.dst == inner.size * inner.dst && dim.src == inner.size * inner.src)
      inner.size *= dim.size;
    else
      dims[count++] = dim;
  }
  return count;
}

/// The widest word, at most 16 bytes, that divides all addresses.
int64_t wordBytes(const CopyDim *dims, int count, const View &dst,
                  const View *src) {
  uint64_t bits = static_cast<uint64_t>(dims[0].size) |
                  reinterpret_cast<uint64_t>(dst.base);
  if (src)
    bits |= reinterpret_cast<uint64_t>(src->base);
  for (int d = 1; d < count; ++d) {
    bits |= static_cast<uint64_t>(dims[d].dst);
    if (src)
      bits |= static_cast<uint64_t>(dims[d].src);
  }
  uint64_t lowest = bits & (~bits + 1);
  return static_cast<int64_t>(std::min<uint64_t>(lowest, 16));
}

uint64_t repeatElement(int64_t bits, int64_t bytes) {
  auto value = static_cast<uint64_t>(bits);
  if (bytes == 8)
    return value;
  value &= (uint64_t(1) << (8 * bytes)) - 1;
  for (int64_t width = bytes; width < 8; width *= 2)
    value |= value << (8 * width);
  return value;
}

} // namespace

void Gpu::runCopy(const View &dst, const View *src, int64_t bits) {
  CopyDim dims[kMaxRank + 1];
  int count = mergeDims(dst, src ? *src : dst, dims);
  if (src && count == 1) {
    check(getDriver().memcpyDtoD(reinterpret_cast<DevicePtr>(dst.base),
                                 reinterpret_cast<DevicePtr>(src->base),
                                 static_cast<size_t>(dims[0].size), stream),
          "copying");
    return;
  }
  int64_t word = wordBytes(dims, count, dst, src);
  CopyArguments args = {};
  args.dst = dst.base;
  args.src = src ? src->base : nullptr;
  args.bits = bits;
  args.count = dims[0].size / word;
  args.sizes[0] = args.count;
  args.dstStrides[0] = args.srcStrides[0] = 1;
  // A row of one word is no dimension of its own.
  args.rank = args.count == 1 && count > 1 ? 0 : 1;
  for (int d = 1; d < count; ++d, ++args.rank) {
    args.sizes[args.rank] = dims[d].size;
    args.dstStrides[args.rank] = dims[d].dst / word;
    args.srcStrides[args.rank] = dims[d].src / word;
    args.count *= dims[d].size;
  }
  std::string kernel = concat(src ? "dtensor_copy_" : "dtensor_fill_", word);
  int64_t blocks = (args.count + kCopyThreads - 1) / kCopyThreads;
  void *params[] = {&args};
  launch(getKernel(kernel.c_str()),
         {std::min<int64_t>(blocks, multiprocessors * 32), 1, 1},
         {kCopyThreads, 1, 1}, 0, params);
}

void Gpu::copy(const View &dst, const View &src) {
  assert(dst.rank == src.rank && dst.elementBytes() == src.elementBytes());
  if (dst.numElements() != 0)
    runCopy(dst, &src, 0);
}

void Gpu::fill(const View &dst, int64_t bits) {
  if (dst.numElements() != 0)
    runCopy(dst, nullptr,
            static_cast<int64_t>(repeatElement(bits, dst.elementBytes())));
}

void Gpu::convert(const char *kernel, void *dst, const void *src,
                  int64_t count) {
  ConvertArguments args = {dst, src, count};
  int64_t blocks = (count + kCopyThreads - 1) / kCopyThreads;
  void *params[] = {&args};
  launch(getKernel(kernel),
         {std::min<int64_t>(blocks, multiprocessors * 32), 1, 1},
         {kCopyThreads, 1, 1}, 0, params);
}

//===----------------------------------------------------------------------===//
// Products and attention
//===----------------------------------------------------------------------===//

void Gpu::matmul(const Matmul &call) {
  if (!products)
    products = std::make_unique<MatmulCache>(*this);
  products->run(call);
}

namespace {

[[noreturn]] void badAttention(const Attention &call, const char *why) {
  raise(DTENSOR_RT_RUN_FAILED, "attention of ", call.q.shapeString(), " over ",
        call.k.shapeString(), ": ", why);
}

/// Batch dimensions before the heads as one.
int64_t batchStride(const Attention &call, const View &view) {
  int64_t stride = view.rank >= 4 ? view.strides[view.rank - 4] : 0;
  for (int64_t d = view.rank - 5; d >= 0; --d)
    if (view.sizes[d] != 1 &&
        view.strides[d] != view.sizes[d + 1] * view.strides[d + 1])
      badAttention(call, "the batch dimensions are not one");
  return stride;
}

AttentionArguments makeArguments(const Attention &call) {
  int64_t rank = call.q.rank;
  if (rank < 2)
    badAttention(call, "at least 2 dimensions are needed");
  auto size = [&](const View &view, int64_t fromLast) -> int64_t {
    return rank >= fromLast ? view.sizes[rank - fromLast] : 1;
  };
  auto stride = [&](const View &view, int64_t fromLast) -> int64_t {
    return rank >= fromLast ? view.strides[rank - fromLast] : 0;
  };
  for (const View *view : {&call.q, &call.k, &call.v, &call.out})
    if (view->sizes[rank - 1] > 1 && view->strides[rank - 1] != 1)
      badAttention(call, "the depth is not packed");
  AttentionArguments args = {};
  int64_t batch = 1;
  for (int64_t d = 0; d < rank - 3; ++d)
    batch *= call.q.sizes[d];
  auto narrow = [&](int64_t value) {
    if (value > INT32_MAX)
      badAttention(call, "an extent is above 2^31");
    return static_cast<int32_t>(value);
  };
  args.q = call.q.base;
  args.k = call.k.base;
  args.v = call.v.base;
  args.out = call.out.base;
  args.batch = narrow(batch);
  args.heads = narrow(size(call.q, 3));
  args.kvHeads = narrow(size(call.k, 3));
  args.rows = narrow(size(call.q, 2));
  args.keys = narrow(size(call.k, 2));
  args.depth = narrow(size(call.q, 1));
  args.qBatch = batchStride(call, call.q);
  args.kBatch = batchStride(call, call.k);
  args.vBatch = batchStride(call, call.v);
  args.outBatch = batchStride(call, call.out);
  args.qHead = stride(call.q, 3);
  args.kHead = stride(call.k, 3);
  args.vHead = stride(call.v, 3);
  args.outHead = stride(call.out, 3);
  args.qRow = stride(call.q, 2);
  args.kRow = stride(call.k, 2);
  args.vRow = stride(call.v, 2);
  args.outRow = stride(call.out, 2);
  args.scale = static_cast<float>(call.scale);
  args.causal = call.causal;
  args.firstLimit = call.queryOffset + args.keys - call.total;
  return args;
}

/// 16-byte loads need aligned rows.
bool isAligned(const View &view) {
  int64_t bits = reinterpret_cast<int64_t>(view.base);
  for (int64_t d = 0; d < view.rank - 1; ++d)
    if (view.sizes[d] > 1)
      bits |= view.strides[d] * view.elementBytes();
  return bits % 16 == 0;
}

} // namespace

void Gpu::attention(const Attention &call) {
  AttentionArguments args = makeArguments(call);
  int32_t dtype = call.q.dtype;
  bool isHalf = dtype == DTENSOR_RT_bf16 || dtype == DTENSOR_RT_f16;
  if (!isHalf && dtype != DTENSOR_RT_f32)
    badAttention(call, "elements are f32, bf16 or f16");
  if (args.depth > 256 || args.depth != call.v.sizes[call.v.rank - 1])
    badAttention(call, "the depth is at most 256, equal in all");
  if (args.kvHeads && args.heads % args.kvHeads != 0)
    badAttention(call, "the heads are no multiple of the key heads");
  if (call.out.numElements() == 0)
    return;
  void *params[] = {&args};
  int64_t heads = int64_t(args.batch) * args.heads;
  std::string suffix = dtensor_rt_dtype_name(dtype);
  bool isWide = isHalf && arch == 90 && args.keys > 0 &&
                (args.depth == 64 || args.depth == 128) && isAligned(call.q) &&
                isAligned(call.k) && isAligned(call.v) &&
                isAligned(call.out) && !std::getenv("DTENSOR_ATTENTION_PLAIN");
  if (isWide) {
    // Queries of 128 rows, two stages of keys and of values.
    int64_t shared = 1024 + int64_t(128 + 4 * 128) * args.depth * 2;
    std::string kernel = concat("dtensor_attention_", suffix, "_", args.depth);
    launch(getKernel(kernel.c_str(), shared),
           {heads, (args.rows + 127) / 128, 1}, {256, 1, 1}, shared, params);
    return;
  }
  std::string kernel = "dtensor_attention_plain_" + suffix;
  launch(getKernel(kernel.c_str()), {heads, (args.rows + 7) / 8, 1},
         {256, 1, 1}, 0, params);
}
