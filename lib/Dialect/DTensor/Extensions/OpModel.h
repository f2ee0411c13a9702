//===- OpModel.h - an external model with the op's own type -----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_EXTENSIONS_OPMODEL_H
#define DTENSOR_LIB_EXTENSIONS_OPMODEL_H

#include "dtensor/Dialect/DTensor/Extensions/Build.h"

namespace dtensor {

/// A model whose `rewrite` takes the op under its own type.
template <typename Model, typename OpTy>
struct OpModel : NormalizeOpInterface::ExternalModel<Model, OpTy> {
  llvm::LogicalResult normalize(mlir::Operation *op,
                                NormalizeContext &context) const {
    return static_cast<const Model *>(this)->rewrite(llvm::cast<OpTy>(op),
                                                     context);
  }
};

/// Slices, joins and paddings; part of the tensor extension.
void attachTensorSliceModels(mlir::MLIRContext *context);

} // namespace dtensor

#endif // DTENSOR_LIB_EXTENSIONS_OPMODEL_H
