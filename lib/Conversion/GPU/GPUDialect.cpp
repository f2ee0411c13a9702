//===- GPUDialect.cpp - Work of a device before LLVM ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/GPU/GPUDialect.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace dtensor::device;

#include "dtensor/Conversion/GPU/GPUDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dtensor/Conversion/GPU/GPUOps.cpp.inc"

void DeviceDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Conversion/GPU/GPUOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

// On tensors nothing but the results; on buffers reads of all that is no
// destination and writes of the destinations.
template <class OpTy>
static void addEffects(OpTy op, Effects &effects) {
  if (op->getNumResults() != 0)
    return;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

void ComputeOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void MatmulOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void AttentionOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void AttentionQueryGradOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
}
void AttentionKeyValueGradOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
}

void CopyOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getSourceMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getDestMutable());
}

void FillOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Write::get(), &getDestMutable());
}

//===----------------------------------------------------------------------===//
// Bufferization
//===----------------------------------------------------------------------===//

// Tensors become buffers one by one; the results are the destinations.
template <class OpTy>
static LogicalResult
bufferizeInPlace(OpTy op, RewriterBase &rewriter,
                 const bufferization::BufferizationOptions &options,
                 bufferization::BufferizationState &state) {
  SmallVector<Value> operands, dests;
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    if (isa<TensorType>(value.getType())) {
      FailureOr<Value> buffer =
          bufferization::getBuffer(rewriter, value, options, state);
      if (failed(buffer))
        return failure();
      value = *buffer;
    }
    operands.push_back(value);
    if (op.isDpsInit(&operand))
      dests.push_back(value);
  }
  rewriter.setInsertionPoint(op);
  OperationState created(op.getLoc(), op->getName());
  created.addOperands(operands);
  created.addAttributes(op->getDiscardableAttrDictionary().getValue());
  created.propertiesAttr = op->getPropertiesAsAttribute();
  rewriter.create(created);
  bufferization::replaceOpWithBufferizedValues(rewriter, op, dests);
  return success();
}

namespace {
template <class OpTy>
struct DeviceBufferization
    : bufferization::DstBufferizableOpInterfaceExternalModel<
          DeviceBufferization<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const bufferization::AnalysisState &) const {
    return !cast<OpTy>(op).isDpsInit(&operand);
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand,
                               const bufferization::AnalysisState &) const {
    return cast<OpTy>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const bufferization::BufferizationOptions &options,
                          bufferization::BufferizationState &state) const {
    return bufferizeInPlace(cast<OpTy>(op), rewriter, options, state);
  }
};
} // namespace

void dtensor::registerDeviceBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DeviceDialect *) {
    ComputeOp::attachInterface<DeviceBufferization<ComputeOp>>(*context);
    MatmulOp::attachInterface<DeviceBufferization<MatmulOp>>(*context);
    AttentionOp::attachInterface<DeviceBufferization<AttentionOp>>(*context);
    AttentionQueryGradOp::attachInterface<
        DeviceBufferization<AttentionQueryGradOp>>(*context);
    AttentionKeyValueGradOp::attachInterface<
        DeviceBufferization<AttentionKeyValueGradOp>>(*context);
  });
}
