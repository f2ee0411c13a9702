//===- Outliner.cpp - Equal work in one function --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Outliner.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// EqualFunctions
//===----------------------------------------------------------------------===//

static Attribute getAttributes(FunctionOpInterface function) {
  NamedAttrList attributes(function->getAttrDictionary());
  attributes.erase(SymbolTable::getSymbolAttrName());
  return attributes.getDictionary(function->getContext());
}

// Of the ops alone, whatever their operands.
static size_t computeHash(FunctionOpInterface function) {
  llvm::hash_code hash = hash_value(getAttributes(function));
  function.getFunctionBody().walk([&](Operation *op) {
    hash =
        llvm::hash_combine(hash, OperationEquivalence::computeHash(
                                     op, OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

static bool isEqual(FunctionOpInterface lhs, FunctionOpInterface rhs) {
  return lhs->getName() == rhs->getName() &&
         getAttributes(lhs) == getAttributes(rhs) &&
         OperationEquivalence::isRegionEquivalentTo(
             &lhs.getFunctionBody(), &rhs.getFunctionBody(),
             OperationEquivalence::IgnoreLocations);
}

FunctionOpInterface EqualFunctions::findOrAdd(FunctionOpInterface function) {
  auto &candidates = functions[computeHash(function)];
  for (FunctionOpInterface candidate : candidates)
    if (isEqual(candidate, function))
      return candidate;
  candidates.push_back(function);
  return function;
}

//===----------------------------------------------------------------------===//
// Outliner
//===----------------------------------------------------------------------===//

void Outliner::outline(Operation *op, Mark mark) {
  collectOperands(op);
  func::FuncOp built = build(op, mark);
  auto function = cast<func::FuncOp>(known.findOrAdd(built).getOperation());
  if (function == built)
    symbols.insert(function);
  else
    built.erase();
  IRRewriter rewriter(op);
  func::CallOp::create(rewriter, op->getLoc(), function, operands);
  rewriter.eraseOp(op);
}

// Everything from outside in order of first use.
void Outliner::collectOperands(Operation *op) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  operands.clear();
  constants.clear();
  for (Value value : used) {
    Operation *definition = value.getDefiningOp();
    if (definition && definition->hasTrait<OpTrait::ConstantLike>())
      constants.push_back(definition);
    else
      operands.push_back(value);
  }
}

func::FuncOp Outliner::build(Operation *op, Mark mark) {
  OpBuilder builder(op->getContext());
  auto type = builder.getFunctionType(ValueRange(operands).getTypes(), {});
  auto function = func::FuncOp::create(op->getLoc(), name, type);
  function.setPrivate();
  function->setAttr(kKernelAttr, builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  mapping.map(operands, function.getArguments());
  for (Operation *constant : constants)
    builder.clone(*constant, mapping);
  builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op->getLoc());
  mark(function, operands);
  return function;
}
