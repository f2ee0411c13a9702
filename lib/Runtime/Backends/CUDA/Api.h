//===- Api.h - NVIDIA's libraries, loaded at run time -----------*- C++ -*-===//
//
// Declarations of our own for the few functions that are used, so that a build
// needs no toolkit; names and values are those of the libraries' public
// interfaces, which are stable. Each table is filled by dlopen at first use.
//
// NVLink multicast can put the GPUs of a host out of service, so NCCL is loaded
// with NCCL_NVLS_ENABLE=0, and one that was loaded otherwise is refused.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_API_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_API_H

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string>

namespace dtensor::rt::cuda {

//===----------------------------------------------------------------------===//
// Driver
//===----------------------------------------------------------------------===//

using Result = int;
using DeviceId = int;
using DevicePtr = unsigned long long;
using Context = struct ContextTag *;
using Stream = struct StreamTag *;
using Event = struct EventTag *;
using Module = struct ModuleTag *;
using Function = struct FunctionTag *;
using Graph = struct GraphTag *;
using GraphExec = struct GraphExecTag *;

struct LaunchConfig {
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
  Stream stream;
  void *attributes;
  unsigned numAttributes;
};

/// The number of blocks in a cluster.
struct ClusterAttribute {
  int id = 4;
  int padding = 0;
  unsigned x, y = 1, z = 1;
  char rest[52] = {};
};

struct IpcHandle {
  char bytes[64];
};

enum : int {
  kErrorOutOfMemory = 2,
  kErrorNotReady = 600,
  kErrorPeerAlreadyEnabled = 704,
  kAttributeMultiprocessors = 16,
  kAttributeMajor = 75,
  kAttributeMinor = 76,
  kFunctionMaxDynamicShared = 8,
  kStreamNonBlocking = 1,
  kEventDisableTiming = 2,
  kCaptureRelaxed = 2,
  kHostPortable = 1,
  kHostMapped = 2,
  kIpcLazyPeers = 1,
};

/// DTENSOR_CUDA_FUNCTION(MEMBER, SYMBOL, PARAMETERS)
#define DTENSOR_CUDA_FUNCTIONS(X)                                              \
  X(init, cuInit, (unsigned))                                                  \
  X(driverGetVersion, cuDriverGetVersion, (int *))                             \
  X(getErrorName, cuGetErrorName, (Result, const char **))                     \
  X(getErrorString, cuGetErrorString, (Result, const char **))                 \
  X(deviceGetCount, cuDeviceGetCount, (int *))                                 \
  X(deviceGet, cuDeviceGet, (DeviceId *, int))                                 \
  X(deviceGetName, cuDeviceGetName, (char *, int, DeviceId))                   \
  X(deviceGetAttribute, cuDeviceGetAttribute, (int *, int, DeviceId))          \
  X(primaryCtxRetain, cuDevicePrimaryCtxRetain, (Context *, DeviceId))         \
  X(primaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (DeviceId))               \
  X(ctxGet, cuCtxGetCurrent, (Context *))                                      \
  X(ctxPush, cuCtxPushCurrent_v2, (Context))                                   \
  X(ctxPop, cuCtxPopCurrent_v2, (Context *))                                   \
  X(memAlloc, cuMemAlloc_v2, (DevicePtr *, size_t))                            \
  X(memFree, cuMemFree_v2, (DevicePtr))                                        \
  X(memHostAlloc, cuMemHostAlloc, (void **, size_t, unsigned))                 \
  X(memFreeHost, cuMemFreeHost, (void *))                                      \
  X(deviceCanAccessPeer, cuDeviceCanAccessPeer, (int *, DeviceId, DeviceId))   \
  X(ctxEnablePeerAccess, cuCtxEnablePeerAccess, (Context, unsigned))           \
  X(ipcGetMemHandle, cuIpcGetMemHandle, (IpcHandle *, DevicePtr))              \
  X(ipcOpenMemHandle, cuIpcOpenMemHandle_v2,                                   \
    (DevicePtr *, IpcHandle, unsigned))                                        \
  X(ipcCloseMemHandle, cuIpcCloseMemHandle, (DevicePtr))                       \
  X(memGetInfo, cuMemGetInfo_v2, (size_t *, size_t *))                         \
  X(memcpyDtoD, cuMemcpyDtoDAsync_v2, (DevicePtr, DevicePtr, size_t, Stream))  \
  X(memcpyHtoD, cuMemcpyHtoDAsync_v2,                                          \
    (DevicePtr, const void *, size_t, Stream))                                 \
  X(memcpyDtoH, cuMemcpyDtoHAsync_v2, (void *, DevicePtr, size_t, Stream))     \
  X(memsetD8, cuMemsetD8Async, (DevicePtr, unsigned char, size_t, Stream))     \
  X(streamCreate, cuStreamCreateWithPriority, (Stream *, unsigned, int))       \
  X(streamDestroy, cuStreamDestroy_v2, (Stream))                               \
  X(streamSynchronize, cuStreamSynchronize, (Stream))                          \
  X(streamQuery, cuStreamQuery, (Stream))                                      \
  X(streamWaitEvent, cuStreamWaitEvent, (Stream, Event, unsigned))             \
  X(streamBeginCapture, cuStreamBeginCapture_v2, (Stream, int))                \
  X(streamEndCapture, cuStreamEndCapture, (Stream, Graph *))                   \
  X(graphInstantiate, cuGraphInstantiateWithFlags,                             \
    (GraphExec *, Graph, unsigned long long))                                  \
  X(graphLaunch, cuGraphLaunch, (GraphExec, Stream))                           \
  X(graphDestroy, cuGraphDestroy, (Graph))                                     \
  X(graphExecDestroy, cuGraphExecDestroy, (GraphExec))                         \
  X(eventCreate, cuEventCreate, (Event *, unsigned))                           \
  X(eventRecord, cuEventRecord, (Event, Stream))                               \
  X(eventElapsedTime, cuEventElapsedTime, (float *, Event, Event))             \
  X(eventDestroy, cuEventDestroy_v2, (Event))                                  \
  X(moduleLoadData, cuModuleLoadData, (Module *, const void *))                \
  X(moduleUnload, cuModuleUnload, (Module))                                    \
  X(moduleGetFunction, cuModuleGetFunction,                                    \
    (Function *, Module, const char *))                                        \
  X(functionSetAttribute, cuFuncSetAttribute, (Function, int, int))            \
  X(encodeTiled, cuTensorMapEncodeTiled,                                       \
    (void *, int, uint32_t, void *, const uint64_t *, const uint64_t *,        \
     const uint32_t *, const uint32_t *, int, int, int, int))                  \
  X(occupancyMaxActiveClusters, cuOccupancyMaxActiveClusters,                  \
    (int *, Function, const LaunchConfig *))                                   \
  X(launchKernel, cuLaunchKernelEx,                                            \
    (const LaunchConfig *, Function, void **, void **))

struct Driver {
#define DTENSOR_CUDA_FUNCTION(MEMBER, SYMBOL, PARAMETERS)                      \
  Result(*MEMBER) PARAMETERS;
  DTENSOR_CUDA_FUNCTIONS(DTENSOR_CUDA_FUNCTION)
#undef DTENSOR_CUDA_FUNCTION
};

/// Initialized; raises NOT_FOUND with what is missing.
const Driver &getDriver();

/// Raises when `result` is an error; `what` says who wanted what.
void check(Result result, const char *what);

//===----------------------------------------------------------------------===//
// NCCL
//===----------------------------------------------------------------------===//

using NcclResult = int;
using NcclComm = struct NcclCommTag *;
struct NcclUniqueId {
  char bytes[128];
};

/// The fields of NCCL 2.18; the library fills in what came later.
struct NcclConfig {
  size_t size = sizeof(NcclConfig);
  unsigned magic = 0xcafebeef;
  unsigned version = 21800;
  int blocking = INT_MIN;
  int cgaClusterSize = INT_MIN;
  int minCTAs = INT_MIN;
  int maxCTAs = INT_MIN;
  const char *netName = nullptr;
  int splitShare = INT_MIN;
};

enum NcclType : int {
  kNcclInt8 = 0,
  kNcclUint8 = 1,
  kNcclInt32 = 2,
  kNcclInt64 = 4,
  kNcclFloat16 = 6,
  kNcclFloat32 = 7,
  kNcclFloat64 = 8,
  kNcclBfloat16 = 9,
};
enum NcclOp : int { kNcclSum = 0, kNcclProd = 1, kNcclMax = 2, kNcclMin = 3 };
enum : int { kNcclInProgress = 7 };

#define DTENSOR_NCCL_FUNCTIONS(X)                                              \
  X(getVersion, ncclGetVersion, (int *))                                       \
  X(getUniqueId, ncclGetUniqueId, (NcclUniqueId *))                            \
  X(commInitRank, ncclCommInitRankConfig,                                      \
    (NcclComm *, int, NcclUniqueId, int, NcclConfig *))                        \
  X(commDestroy, ncclCommDestroy, (NcclComm))                                  \
  X(commAbort, ncclCommAbort, (NcclComm))                                      \
  X(commGetAsyncError, ncclCommGetAsyncError, (NcclComm, NcclResult *))        \
  X(groupStart, ncclGroupStart, ())                                            \
  X(groupEnd, ncclGroupEnd, ())                                                \
  X(allReduce, ncclAllReduce,                                                  \
    (const void *, void *, size_t, int, int, NcclComm, Stream))                \
  X(reduceScatter, ncclReduceScatter,                                          \
    (const void *, void *, size_t, int, int, NcclComm, Stream))                \
  X(allGather, ncclAllGather,                                                  \
    (const void *, void *, size_t, int, NcclComm, Stream))                     \
  X(broadcast, ncclBroadcast,                                                  \
    (const void *, void *, size_t, int, int, NcclComm, Stream))                \
  X(send, ncclSend, (const void *, size_t, int, int, NcclComm, Stream))        \
  X(recv, ncclRecv, (void *, size_t, int, int, NcclComm, Stream))

struct Nccl {
#define DTENSOR_NCCL_FUNCTION(MEMBER, SYMBOL, PARAMETERS)                      \
  NcclResult(*MEMBER) PARAMETERS;
  DTENSOR_NCCL_FUNCTIONS(DTENSOR_NCCL_FUNCTION)
#undef DTENSOR_NCCL_FUNCTION
  const char *(*getErrorString)(NcclResult);
  int version;
};

/// Raises NOT_FOUND when it is missing or too old, INVALID_ARGUMENT when it
/// may use NVLink multicast.
const Nccl &getNccl();
void checkNccl(NcclResult result, const char *what);

//===----------------------------------------------------------------------===//
// cuBLASLt
//===----------------------------------------------------------------------===//

using LtResult = int;
using LtHandle = struct LtHandleTag *;
using LtDesc = struct LtDescTag *;
using LtLayout = struct LtLayoutTag *;
using LtPreference = struct LtPreferenceTag *;

struct LtAlgo {
  uint64_t data[8];
};
struct LtHeuristic {
  LtAlgo algo;
  size_t workspaceBytes;
  LtResult state;
  float wavesCount;
  int reserved[4];
};

enum : int {
  kLtR16F = 2,
  kLtR16BF = 14,
  kLtR32F = 0,
  kLtR64F = 1,
  kLtCompute32F = 68,
  kLtCompute64F = 70,
  kLtComputeTF32 = 77,
  kLtOpN = 0,
  kLtOpT = 1,
  kLtDescTransA = 3,
  kLtDescTransB = 4,
  kLtDescEpilogue = 7,
  kLtDescBiasPointer = 8,
  kLtLayoutBatchCount = 5,
  kLtLayoutBatchStride = 6,
  kLtPreferenceWorkspace = 1,
  kLtPreferenceAlignA = 5,
  kLtPreferenceAlignB = 6,
  kLtPreferenceAlignC = 7,
  kLtPreferenceAlignD = 8,
  kLtEpilogueDefault = 1,
  kLtEpilogueRelu = 2,
  kLtEpilogueBias = 4,
  kLtEpilogueGelu = 32,
};

#define DTENSOR_LT_FUNCTIONS(X)                                                \
  X(create, cublasLtCreate, (LtHandle *))                                      \
  X(destroy, cublasLtDestroy, (LtHandle))                                      \
  X(descCreate, cublasLtMatmulDescCreate, (LtDesc *, int, int))                \
  X(descDestroy, cublasLtMatmulDescDestroy, (LtDesc))                          \
  X(descSet, cublasLtMatmulDescSetAttribute,                                   \
    (LtDesc, int, const void *, size_t))                                       \
  X(layoutCreate, cublasLtMatrixLayoutCreate,                                  \
    (LtLayout *, int, uint64_t, uint64_t, int64_t))                            \
  X(layoutDestroy, cublasLtMatrixLayoutDestroy, (LtLayout))                    \
  X(layoutSet, cublasLtMatrixLayoutSetAttribute,                               \
    (LtLayout, int, const void *, size_t))                                     \
  X(preferenceCreate, cublasLtMatmulPreferenceCreate, (LtPreference *))        \
  X(preferenceDestroy, cublasLtMatmulPreferenceDestroy, (LtPreference))        \
  X(preferenceSet, cublasLtMatmulPreferenceSetAttribute,                       \
    (LtPreference, int, const void *, size_t))                                 \
  X(getHeuristic, cublasLtMatmulAlgoGetHeuristic,                              \
    (LtHandle, LtDesc, LtLayout, LtLayout, LtLayout, LtLayout, LtPreference,   \
     int, LtHeuristic *, int *))                                               \
  X(algoCheck, cublasLtMatmulAlgoCheck,                                        \
    (LtHandle, LtDesc, LtLayout, LtLayout, LtLayout, LtLayout, const LtAlgo *, \
     LtHeuristic *))                                                           \
  X(matmul, cublasLtMatmul,                                                    \
    (LtHandle, LtDesc, const void *, const void *, LtLayout, const void *,     \
     LtLayout, const void *, const void *, LtLayout, void *, LtLayout,         \
     const LtAlgo *, void *, size_t, Stream))

struct Lt {
#define DTENSOR_LT_FUNCTION(MEMBER, SYMBOL, PARAMETERS)                        \
  LtResult(*MEMBER) PARAMETERS;
  DTENSOR_LT_FUNCTIONS(DTENSOR_LT_FUNCTION)
#undef DTENSOR_LT_FUNCTION
  size_t (*getVersion)();
};

/// Raises NOT_FOUND when it is missing.
const Lt &getLt();
void checkLt(LtResult result, const char *what);

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_API_H
