//===- OutlineWork.cpp - Equal work of the device is one host function ----===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Outliner.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/RuntimeDialect.h"

namespace dtensor {
#define GEN_PASS_DEF_GPUOUTLINEWORK
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

// Calls of the runtime describe their buffers, too.
static bool isWork(Operation *op) {
  return isa_and_nonnull<device::DeviceDialect>(op->getDialect()) ||
         isa<runtime::CollectiveOp>(op);
}

// All of them have the rank context first.
static void markContext(func::FuncOp function, ValueRange) {
  function.setArgAttr(0, kContextAttr, UnitAttr::get(function.getContext()));
}

namespace {
struct GPUOutlineWork : dtensor::impl::GPUOutlineWorkBase<GPUOutlineWork> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isWork(op) && op->getNumResults() == 0)
        ops.push_back(op);
    });
    Outliner outliner(getOperation(), "work");
    for (Operation *op : ops)
      outliner.outline(op, markContext);
  }
};
} // namespace
