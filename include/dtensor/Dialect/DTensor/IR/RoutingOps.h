//===- RoutingOps.h - mixtures of experts -----------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_ROUTINGOPS_H
#define DTENSOR_DIALECT_DTENSOR_IR_ROUTINGOPS_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Interfaces/Interfaces.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/RoutingOps.h.inc"

#endif // DTENSOR_DIALECT_DTENSOR_IR_ROUTINGOPS_H
