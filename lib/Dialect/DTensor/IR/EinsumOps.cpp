//===- EinsumOps.cpp - contractions by name, and sums with them -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixMethods.h"
#include "dtensor/Dialect/DTensor/IR/MatrixOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

namespace {
/// One letter per dimension.
struct Equation {
  SmallVector<StringRef> inputs;
  StringRef result;
};
} // namespace

static StringRef equationText(Operation *op) {
  if (isa<MvOp>(op))
    return "ab,b->a";
  if (isa<DotOp>(op))
    return "a,a->";
  if (isa<OuterOp>(op))
    return "a,b->ab";
  return cast<EinsumOp>(op).getEquation();
}

static LogicalResult checkNames(Operation *op, StringRef names) {
  for (auto [i, name] : llvm::enumerate(names)) {
    if (!llvm::isAlpha(name))
      return op->emitOpError("equation has '")
             << name << "', expected a letter";
    if (names.take_front(i).contains(name))
      return op->emitOpError("equation has '")
             << name << "' twice in '" << names << "'";
  }
  return success();
}

static FailureOr<Equation> parseEquation(Operation *op) {
  StringRef text = equationText(op);
  auto [left, right] = text.split("->");
  if (!text.contains("->"))
    return op->emitOpError("equation '") << text << "' has no '->'";
  Equation equation;
  equation.result = right;
  left.split(equation.inputs, ',');
  if (equation.inputs.size() != op->getNumOperands())
    return op->emitOpError("equation is about ")
           << equation.inputs.size() << " operands, there are "
           << op->getNumOperands();
  for (StringRef names : equation.inputs)
    if (failed(checkNames(op, names)))
      return failure();
  if (failed(checkNames(op, right)))
    return failure();
  for (char name : right)
    if (!left.contains(name))
      return op->emitOpError("result has '")
             << name << "', which no operand has";
  return equation;
}

LogicalResult dtensor::inferEinsum(Operation *op, ArrayRef<ExtentList> operands,
                                   const Facts &facts,
                                   SmallVectorImpl<ExtentList> &results) {
  auto equation = parseEquation(op);
  if (failed(equation))
    return failure();
  llvm::SmallDenseMap<char, Expr> extents;
  for (auto [number, names] : llvm::enumerate(equation->inputs)) {
    if (operands[number].size() != names.size())
      return op->emitOpError("operand ")
             << number << " has rank " << operands[number].size()
             << ", expected " << names.size();
    for (auto [dim, name] : llvm::enumerate(names)) {
      Expr extent = operands[number][dim];
      auto [known, isNew] = extents.try_emplace(name, extent);
      if (!isNew &&
          failed(checkExtent(
              op, "operand " + Twine(number) + " dimension " + Twine(dim),
              extent, known->second, facts)))
        return failure();
    }
  }
  ExtentList &result = results.emplace_back();
  for (char name : equation->result)
    result.push_back(extents.lookup(name));
  return success();
}

LogicalResult dtensor::verifyEinsum(Operation *op) {
  if (op->getNumOperands() == 0)
    return op->emitOpError("has no operands");
  return failed(checkProductElements(op)) ? failure() : verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// A value whose dimensions have names.
struct Named {
  Value value;
  std::string names;
};
} // namespace

/// The product of all `inputs`, in which only the names in `kept` are left.
static Value contract(OpBuilder &builder, Location loc, StringRef label,
                      ArrayRef<Named> inputs, StringRef kept,
                      RankedTensorType type) {
  std::string loops = kept.str();
  SmallVector<Value> values;
  SmallVector<IteratorList> dims;
  for (const Named &input : inputs) {
    values.push_back(input.value);
    IteratorList &list = dims.emplace_back();
    for (char name : input.names) {
      if (!StringRef(loops).contains(name))
        loops.push_back(name);
      list.push_back(StringRef(loops).find(name));
    }
  }
  return buildProduct(builder, loc, label, values, dims,
                      identityDims(kept.size()), loops.size(), type);
}

/// The names of both that are still needed: by the result or a later operand.
static std::string stillNeeded(const Named &lhs, StringRef rhs,
                               ArrayRef<StringRef> later, StringRef result) {
  std::string names;
  for (char name : lhs.names + rhs.str()) {
    bool needed =
        result.contains(name) || llvm::any_of(later, [&](StringRef other) {
          return other.contains(name);
        });
    if (needed && !StringRef(names).contains(name))
      names.push_back(name);
  }
  return names;
}

static ExtentList extentsOf(ArrayRef<Named> inputs, StringRef names) {
  ExtentList result;
  for (char name : names)
    for (const Named &input : inputs) {
      size_t dim = StringRef(input.names).find(name);
      if (dim == StringRef::npos)
        continue;
      result.push_back(getExtents(input.value)[dim]);
      break;
    }
  return result;
}

LogicalResult dtensor::decomposeEinsum(Operation *op, OpBuilder &builder,
                                       ValueRange operands,
                                       TypeRange resultTypes,
                                       SmallVectorImpl<Value> &results) {
  auto equation = parseEquation(op);
  if (failed(equation))
    return failure();
  Location loc = op->getLoc();
  StringRef label = op->getName().stripDialect();
  RankedTensorType type = productType(cast<RankedTensorType>(resultTypes[0]));
  SmallVector<Named> inputs = {{operands[0], equation->inputs[0].str()}};
  // All but the last product, which gives the result.
  for (unsigned i = 1; i + 1 < operands.size(); ++i) {
    inputs.push_back({operands[i], equation->inputs[i].str()});
    std::string names = stillNeeded(
        inputs[0], equation->inputs[i],
        ArrayRef(equation->inputs).drop_front(i + 1), equation->result);
    Value product = contract(
        builder, loc, label, inputs, names,
        openType(type, type.getElementType(), extentsOf(inputs, names)));
    inputs = {{product, names}};
  }
  if (operands.size() > 1)
    inputs.push_back({operands.back(), equation->inputs.back().str()});
  Value value = contract(builder, loc, label, inputs, equation->result, type);
  results.push_back(buildCast(builder, loc, value, resultTypes[0]));
  return success();
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

LogicalResult dtensor::inferSumOfProduct(Operation *op,
                                         ArrayRef<ExtentList> operands,
                                         const Facts &facts,
                                         SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> input = operands[0], lhs = operands[1], rhs = operands[2];
  size_t rank = isa<BaddbmmOp>(op) ? 3 : 2;
  for (auto [name, operand] : {std::pair("lhs", lhs), std::pair("rhs", rhs)})
    if (operand.size() != rank)
      return op->emitOpError()
             << name << " has rank " << operand.size() << ", expected " << rank;
  if ((rank == 3 &&
       failed(checkExtent(op, "rhs dimension 0", rhs[0], lhs[0], facts))) ||
      failed(checkExtent(op, "rhs dimension " + Twine(rank - 2), rhs[rank - 2],
                         lhs[rank - 1], facts)))
    return failure();
  ExtentList result(lhs.drop_back());
  result.push_back(rhs.back());
  if (input.size() > rank)
    return op->emitOpError("input has rank ")
           << input.size() << ", expected at most " << rank;
  for (auto [dim, extent] : llvm::enumerate(input))
    if (extent.getConstant() != 1 &&
        failed(checkExtent(op, "input dimension " + Twine(dim), extent,
                           result[rank - input.size() + dim], facts)))
      return failure();
  results.push_back(result);
  return success();
}

LogicalResult dtensor::verifySumOfProduct(Operation *op) {
  return failed(checkProductElements(op)) ? failure() : verifyComposite(op);
}

LogicalResult dtensor::decomposeSumOfProduct(Operation *op, OpBuilder &builder,
                                             ValueRange operands,
                                             TypeRange resultTypes,
                                             SmallVectorImpl<Value> &results) {
  auto type = cast<RankedTensorType>(resultTypes[0]);
  unsigned rank = type.getRank();
  StringRef label = op->getName().stripDialect();
  Type wide = productType(type).getElementType();
  SmallVector<Named> factors = {{operands[1], rank == 3 ? "bmk" : "mk"},
                                {operands[2], rank == 3 ? "bkn" : "kn"}};
  Value product =
      contract(builder, op->getLoc(), label, factors, rank == 3 ? "bmn" : "mn",
               openType(type, wide, getExtents(type)));
  ExtentList input = getExtents(operands[0]), result = getExtents(type);
  IteratorList dims;
  for (auto [i, extent] : llvm::enumerate(input)) {
    unsigned dim = rank - input.size() + i;
    bool isOne = extent.getConstant() == 1 && result[dim].getConstant() != 1;
    dims.push_back(isOne ? kBroadcast : int64_t(dim));
  }
  double beta = op->getAttrOfType<FloatAttr>("beta").getValueAsDouble();
  double alpha = op->getAttrOfType<FloatAttr>("alpha").getValueAsDouble();
  auto scaled = [&](Scalars s, Value value, double factor) {
    value = s.cast(value, wide);
    return factor == 1 ? value : s.mul(value, s.constant(wide, factor));
  };
  // Without a factor nothing is read, not even NaN.
  results.push_back(buildGeneric(
      builder, op->getLoc(), label, {product, operands[0]},
      {identityDims(rank), dims}, identityDims(rank), rank, ReduceKind::Sum,
      type, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value sum = scaled(s, args[0], alpha);
        if (beta != 0)
          sum = s.add(sum, scaled(s, args[1], beta));
        return s.cast(sum, type.getElementType());
      }));
  return success();
}
