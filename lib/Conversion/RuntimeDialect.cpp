//===- RuntimeDialect.cpp - Calls of the runtime before LLVM --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/RuntimeDialect.h"

#include "dtensor-rt/Types.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace dtensor;
using namespace dtensor::runtime;

#include "dtensor/Conversion/RuntimeDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dtensor/Conversion/RuntimeOps.cpp.inc"

void RuntimeDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Conversion/RuntimeOps.cpp.inc"
      >();
}

Value dtensor::getContextArgument(FunctionOpInterface function) {
  // A declaration has types of arguments and no values.
  if (function.isExternal())
    return {};
  for (unsigned i = function.getNumArguments(); i-- > 0;)
    if (function.getArgAttr(i, kContextAttr))
      return function.getArgument(i);
  return {};
}

std::optional<int32_t> dtensor::getRuntimeDType(Type type) {
  if (type.isF64())
    return DTENSOR_RT_f64;
  if (type.isF32())
    return DTENSOR_RT_f32;
  if (type.isF16())
    return DTENSOR_RT_f16;
  if (type.isBF16())
    return DTENSOR_RT_bf16;
  if (type.isIndex())
    return DTENSOR_RT_index;
  if (type.isInteger(64))
    return DTENSOR_RT_i64;
  if (type.isInteger(32))
    return DTENSOR_RT_i32;
  if (type.isInteger(16))
    return DTENSOR_RT_i16;
  if (type.isInteger(8))
    return DTENSOR_RT_i8;
  if (type.isInteger(1))
    return DTENSOR_RT_i1;
  return std::nullopt;
}

std::optional<int32_t> dtensor::getTensorDType(Type type) {
  if (type.isIndex())
    return DTENSOR_RT_i64;
  return getRuntimeDType(type);
}

//===----------------------------------------------------------------------===//
// CollectiveOp
//===----------------------------------------------------------------------===//

LogicalResult CollectiveOp::verify() {
  auto source = cast<ShapedType>(getSource().getType());
  auto dest = cast<ShapedType>(getDest().getType());
  if (!source.hasRank() || !dest.hasRank() ||
      source.getRank() != dest.getRank())
    return emitOpError() << "source and destination differ in rank: " << source
                         << " and " << dest;
  if (source.getElementType() != dest.getElementType())
    return emitOpError() << "source and destination differ in element type: "
                         << source << " and " << dest;
  bool onTensors = isa<TensorType>(dest);
  if (onTensors != isa<TensorType>(source))
    return emitOpError("mixes tensors and buffers");
  if (onTensors != static_cast<bool>(getResult()))
    return emitOpError(onTensors ? "on tensors has no result"
                                 : "on buffers has a result");
  return success();
}

// Every rank must join: on buffers the call is ordered with all other effects,
// so that it is neither dropped nor moved across another collective.
void CollectiveOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (getResult())
    return;
  effects.emplace_back(MemoryEffects::Read::get(), &getSourceMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getDestMutable());
  effects.emplace_back(MemoryEffects::Read::get());
  effects.emplace_back(MemoryEffects::Write::get());
}

namespace {
struct CollectiveBufferization
    : bufferization::DstBufferizableOpInterfaceExternalModel<
          CollectiveBufferization, CollectiveOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const bufferization::AnalysisState &) const {
    return &operand == &cast<CollectiveOp>(op).getSourceMutable();
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand,
                               const bufferization::AnalysisState &) const {
    return &operand == &cast<CollectiveOp>(op).getDestMutable();
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const bufferization::BufferizationOptions &options,
                          bufferization::BufferizationState &state) const {
    auto collective = cast<CollectiveOp>(op);
    FailureOr<Value> source = bufferization::getBuffer(
        rewriter, collective.getSource(), options, state);
    FailureOr<Value> dest = bufferization::getBuffer(
        rewriter, collective.getDest(), options, state);
    if (failed(source) || failed(dest))
      return failure();
    CollectiveOp::create(rewriter, op->getLoc(), TypeRange(),
                         collective.getCalleeAttr(), collective.getContext(),
                         *source, *dest, collective.getScalars());
    bufferization::replaceOpWithBufferizedValues(rewriter, op, *dest);
    return success();
  }
};
} // namespace

void dtensor::registerRuntimeBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, RuntimeDialect *) {
    CollectiveOp::attachInterface<CollectiveBufferization>(*context);
  });
}
