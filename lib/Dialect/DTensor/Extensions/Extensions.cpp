//===- Extensions.cpp - ops of other dialects in our terms ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Extensions/Extensions.h"

void dtensor::registerNormalizeExtensions(mlir::DialectRegistry &registry) {
  registerArithExtension(registry);
  registerCoreExtension(registry);
  registerLinalgExtension(registry);
  registerScfExtension(registry);
  registerTensorExtension(registry);
}
