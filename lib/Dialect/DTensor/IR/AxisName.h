//===- AxisName.h - Text of a mesh axis -------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_AXISNAME_H
#define DTENSOR_DIALECT_DTENSOR_IR_AXISNAME_H

#include "dtensor/Sharding/Mesh.h"
#include "mlir/IR/OpImplementation.h"

namespace dtensor {

/// `"tp"`, which must be an axis of `mesh`.
mlir::ParseResult parseAxisName(mlir::AsmParser &parser, const Mesh &mesh,
                                unsigned &axis);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_AXISNAME_H
