//===- Distribution.h - global arrays to local ones and back ----*- C++ -*-===//
//
// By boxes and placements only; where a box comes from is compiled code's
// matter.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_DISTRIBUTION_H
#define DTENSOR_RUNTIME_CORE_DISTRIBUTION_H

#include "Buffer.h"
#include "Executable.h"

namespace dtensor::rt {

/// The part `box` of `global`.
View slice(const View &global, const Box &box);

/// The local array of one rank for a global argument. It is `global` itself
/// when that is whole, row-major and `mayAlias`; otherwise it lies in
/// `storage`. A pending reduction is started by the value on coordinate 0 and
/// the neutral element elsewhere; an average, by the value everywhere.
View distribute(const View &global, const Box &box, const ValueDecl &value,
                const std::vector<int64_t> &coords, bool mayAlias,
                Buffer &storage);

/// Row-major memory for a local array in `storage`.
View allocateLocal(const Box &box, int32_t dtype, Buffer &storage);

/// True when collect() reads the array of the rank at `coords`.
bool isCollected(const ValueDecl &value, const std::vector<int64_t> &coords);

/// Assembles a global result from the ranks' arrays, rank by rank: replicas
/// are taken once, pending reductions done in rank order, an average divided
/// once.
void collect(const View &global, const ValueDecl &value, const Mesh &mesh,
             const std::vector<View> &locals, const std::vector<Box> &boxes);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_DISTRIBUTION_H
