//===- ShareKernels.cpp - Equal kernels are one ---------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShareKernels.h"
#include "../Outliner.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace dtensor;

void dtensor::shareKernels(ModuleOp module, gpu::GPUModuleOp kernels) {
  EqualFunctions known;
  DenseMap<StringAttr, StringAttr> renamed;
  for (auto kernel :
       llvm::make_early_inc_range(kernels.getOps<gpu::GPUFuncOp>())) {
    auto first = cast<gpu::GPUFuncOp>(known.findOrAdd(kernel).getOperation());
    if (first == kernel)
      continue;
    renamed[kernel.getNameAttr()] = first.getNameAttr();
    kernel.erase();
  }
  if (renamed.empty())
    return;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](SymbolRefAttr symbol) {
    StringAttr name = renamed.lookup(symbol.getLeafReference());
    return name ? SymbolRefAttr::get(symbol.getRootReference(),
                                     FlatSymbolRefAttr::get(name))
                : symbol;
  });
  module.walk([&](Operation *op) {
    if (isa<device::ComputeOp, device::LaunchOp>(op))
      replacer.replaceElementsIn(op);
  });
}
