//===- Collectives.h - collectives through NCCL -----------------*- C++ -*-===//
//
// NCCL moves packed buffers, and its reductions and gathers need equal counts.
// With e the extent that is cut, p_q the piece of member q (Pieces.h):
//
//   direct    the pieces are equal, lie one after the other (all dimensions
//             before the cut one have extent 1) and are packed: one NCCL call
//   exact     uneven pieces that lie one after the other: a group of sends and
//             receives of exact counts, nothing is copied
//   slack     a scatter of uneven pieces that lie one after the other reads,
//   and
//             writes, the few bytes behind the buffers that the pool adds
//   packed    else: pieces go through temporaries [q][C], C = max_q |p_q|
//
// Reductions and gathers go through the peers' memory where that can be opened
// and is faster (Peers.h); uneven pieces that lie one after the other do, too.
//
// Members with empty pieces take part. Max and min of floats run on integers of
// the same order, so that a NaN is never lost (Kernels/Copy.cu).
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_COLLECTIVES_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_COLLECTIVES_H

#include "Gpu.h"
#include "Peers.h"

#include "../../Core/Collective.h"
#include "../../Core/Pieces.h"

namespace dtensor::rt::cuda {

/// Whether the collective is one for Peers; all members say the same.
bool fitsPeers(const Mesh &mesh, const Group &group, const Collective &call);

/// One rank's part of a collective, queued on its stream, through `peers` or
/// through `comm`. Raises.
void runCollective(Gpu &gpu, Peers *peers, NcclComm comm, const Mesh &mesh,
                   const Group &group, const Collective &call);

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_COLLECTIVES_H
