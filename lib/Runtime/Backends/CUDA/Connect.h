//===- Connect.h - communicators of NCCL, ready for use ---------*- C++ -*-===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_CONNECT_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_CONNECT_H

#include "Gpu.h"
#include "Store.h"

#include "../../Core/Collective.h"

#include <functional>

namespace dtensor::rt::cuda {

/// Raises when the run has failed meanwhile.
using CheckAlive = std::function<void()>;

/// Meets the other members of `group` under the name `key`; `who` is the group
/// in a message.
NcclComm makeComm(Gpu &gpu, const Group &group, Store &store,
                  const std::string &key, const std::string &who,
                  const CheckAlive &checkAlive);

/// Uses a new communicator for every kind of collective, in sizes for which
/// NCCL takes different ways: it connects members when they first need it,
/// which takes tens of milliseconds, and would do so in the first call of a
/// program at some shape. All members call it; the context is current.
void warmUp(NcclComm comm, const Group &group, const CheckAlive &checkAlive);

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_CONNECT_H
