//===- Gpu.cpp - one GPU as seen by one rank --------------------*- C++ -*-===//

#include "Gpu.h"

#include "Images.h"

#include "../../Core/Error.h"
#include "../../Kernels/Arguments.h"

#include <algorithm>
#include <cassert>
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
    if (kernels)
      driver.moduleUnload(kernels);
    storage.clear();
    pool.clear();
    branches.release();
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
  check(driver.eventRecord(handover, getStream()), "changing the stream");
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
  LaunchConfig config = {
      u(grid[0]),  u(grid[1]),     u(grid[2]),  u(block[0]), u(block[1]),
      u(block[2]), u(sharedBytes), getStream(), nullptr,     0};
  start(function, config, params);
}

void Gpu::start(Function function, const LaunchConfig &config, void **params) {
  ++numKernels;
  check(getDriver().launchKernel(&config, function, params, nullptr),
        "launching a kernel");
}

void Gpu::launchClusters(Function function, const KernelLaunch &call) {
  if (call.grid == 0)
    return;
  auto u = [](int64_t value) { return static_cast<unsigned>(value); };
  ClusterAttribute cluster = {.x = u(call.cluster)};
  LaunchConfig config = {
      u(call.cluster), 1,        1, u(call.block), 1, 1, u(call.sharedBytes),
      getStream(),     &cluster, 1};
  int64_t atOnce = getResidentClusters(function, config) * call.cluster;
  config.gridX = u(std::min(call.grid, atOnce));
  start(function, config, call.params);
}

int64_t Gpu::getResidentClusters(Function function,
                                 const LaunchConfig &config) {
  auto [it, isNew] = resident.try_emplace(
      {function, config.gridX, config.blockX, config.sharedBytes}, 0);
  if (isNew)
    check(
        getDriver().occupancyMaxActiveClusters(&it->second, function, &config),
        "counting the clusters of a kernel");
  return std::max(it->second, 1);
}

void Gpu::launchOwn(const char *kernel, int64_t blocks, int64_t threads,
                    void *arguments) {
  void *params[] = {arguments};
  launch(getKernel(kernel), {blocks, 1, 1}, {threads, 1, 1}, 0, params);
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

/// True when no dimension continues another one in both arrays, but each of
/// them is packed along some dimension: `args` is the transposition then.
static bool makeTranspose(const CopyDim *dims, int count, int64_t bytes,
                          const View &dst, const View &src,
                          TransposeArguments &args) {
  int row = 0, col = 0; // dims packed in dst, in src
  for (int d = 1; d < count; ++d) {
    if (dims[d].dst == bytes && !row)
      row = d;
    if (dims[d].src == bytes && !col)
      col = d;
  }
  if (dims[0].size != bytes || !row || !col || row == col)
    return false;
  auto tiles = [](int64_t size) {
    return (size + kTransposeTile - 1) / kTransposeTile;
  };
  args.dst = dst.base;
  args.src = src.base;
  args.rows = dims[row].size;
  args.cols = dims[col].size;
  args.srcRow = dims[row].src / bytes;
  args.dstRow = dims[col].dst / bytes;
  args.tileRows = tiles(args.rows);
  args.tileCols = tiles(args.cols);
  for (int d = 1; d < count; ++d) {
    if (d == row || d == col)
      continue;
    args.sizes[args.rank] = dims[d].size;
    args.dstStrides[args.rank] = dims[d].dst / bytes;
    args.srcStrides[args.rank++] = dims[d].src / bytes;
  }
  // Thin matrices would leave most of a tile empty.
  return args.rows >= 8 && args.cols >= 8;
}

bool Gpu::runTranspose(const View &dst, const View &src) {
  CopyDim dims[kMaxRank + 1];
  int64_t bytes = dst.elementBytes();
  TransposeArguments args = {};
  int count = mergeDims(dst, src, dims);
  if (!makeTranspose(dims, count, bytes, dst, src, args))
    return false;
  int64_t blocks = args.tileRows * args.tileCols;
  for (int32_t d = 0; d < args.rank; ++d)
    blocks *= args.sizes[d];
  if (blocks > INT32_MAX)
    return false;
  launchOwn(concat("dtensor_transpose_", bytes).c_str(), blocks, kCopyThreads,
            &args);
  return true;
}

void Gpu::runCopy(const View &dst, const View *src, int64_t bits) {
  if (src && runTranspose(dst, *src))
    return;
  CopyDim dims[kMaxRank + 1];
  int count = mergeDims(dst, src ? *src : dst, dims);
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
  // Packed and unaligned: the driver's copy is the faster one.
  if (src && count == 1 && word < 16) {
    check(getDriver().memcpyDtoD(reinterpret_cast<DevicePtr>(dst.base),
                                 reinterpret_cast<DevicePtr>(src->base),
                                 static_cast<size_t>(dims[0].size),
                                 getStream()),
          "copying");
    return;
  }
  std::string kernel = concat(src ? "dtensor_copy_" : "dtensor_fill_", word);
  int64_t blocks = (args.count + 4 * kCopyThreads - 1) / (4 * kCopyThreads);
  launchOwn(kernel.c_str(), std::min<int64_t>(blocks, multiprocessors * 64),
            kCopyThreads, &args);
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
  launchOwn(kernel, std::min<int64_t>(blocks, multiprocessors * 32),
            kCopyThreads, &args);
}
