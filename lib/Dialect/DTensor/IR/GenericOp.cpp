//===- GenericOp.cpp - text, rules and factors of generic -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"

#include "GenericPartials.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Construction and accessors
//===----------------------------------------------------------------------===//

static ArrayAttr reduceKindArray(Builder &builder, ArrayRef<ReduceKind> kinds) {
  SmallVector<Attribute> attrs;
  for (ReduceKind kind : kinds)
    attrs.push_back(ReduceKindAttr::get(builder.getContext(), kind));
  return builder.getArrayAttr(attrs);
}

void GenericOp::build(
    OpBuilder &builder, OperationState &state, TypeRange results,
    ValueRange inputs, ValueRange captures, ArrayRef<AffineMap> maps,
    ArrayRef<bool> reduced, ArrayRef<ReduceKind> reductions, StringRef label,
    function_ref<void(OpBuilder &, Location, ValueRange)> body) {
  SmallVector<StringRef> iterators;
  for (bool isReduced : reduced)
    iterators.push_back(isReduced ? "reduction" : "parallel");
  build(builder, state, results, inputs, captures,
        builder.getAffineMapArrayAttr(maps), builder.getStrArrayAttr(iterators),
        reduceKindArray(builder, reductions),
        label.empty() ? StringAttr() : builder.getStringAttr(label));
  SmallVector<Type> types;
  for (Value input : inputs)
    types.push_back(getElementTypeOrSelf(input.getType()));
  for (Value capture : captures)
    types.push_back(withoutLayout(capture.getType()));
  OpBuilder::InsertionGuard guard(builder);
  Block *block =
      builder.createBlock(state.regions.front().get(), {}, types,
                          SmallVector<Location>(types.size(), state.location));
  body(builder, state.location, block->getArguments());
}

bool GenericOp::isReduction(unsigned iterator) {
  return cast<StringAttr>(getIterators()[iterator]).getValue() == "reduction";
}

bool GenericOp::hasReduction() {
  return llvm::any_of(llvm::seq<unsigned>(0, getNumIterators()),
                      [&](unsigned i) { return isReduction(i); });
}

AffineMap GenericOp::getInputMap(unsigned input) {
  return cast<AffineMapAttr>(getIndexingMaps()[input]).getValue();
}

AffineMap GenericOp::getResultMap(unsigned result) {
  return getInputMap(getInputs().size() + result);
}

ReduceKind GenericOp::getReduction(unsigned result) {
  return cast<ReduceKindAttr>(getReductions()[result]).getValue();
}

YieldOp GenericOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

/// The tensors that maps speak of: inputs, then results.
static SmallVector<Value> mappedTensors(GenericOp op) {
  SmallVector<Value> tensors(op.getInputs());
  llvm::append_range(tensors, op.getResults());
  return tensors;
}

std::pair<Value, unsigned> GenericOp::getDimOf(unsigned iterator) {
  AffineExpr wanted = getAffineDimExpr(iterator, getContext());
  for (auto [index, tensor] : llvm::enumerate(mappedTensors(*this)))
    for (auto [dim, expr] : llvm::enumerate(getInputMap(index).getResults()))
      if (expr == wanted)
        return {tensor, dim};
  return {};
}

SmallVector<Expr> GenericOp::getIteratorExtents() {
  SmallVector<Expr> extents(getNumIterators());
  for (auto [index, tensor] : llvm::enumerate(mappedTensors(*this))) {
    SmallVector<Expr> known = getExtents(tensor);
    for (auto [dim, expr] : llvm::enumerate(getInputMap(index).getResults())) {
      auto iterator = dyn_cast<AffineDimExpr>(expr);
      if (iterator && !extents[iterator.getPosition()])
        extents[iterator.getPosition()] = known[dim];
    }
  }
  return extents;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// `name(%a, %b : types)`, left out when empty.
static void printGroup(OpAsmPrinter &printer, StringRef name,
                       ValueRange values) {
  if (values.empty())
    return;
  printer << " " << name << "(" << values << " : " << values.getTypes() << ")";
}

void GenericOp::print(OpAsmPrinter &printer) {
  if (getLabelAttr()) {
    printer << " ";
    printer.printAttribute(getLabelAttr());
  }
  printer << " maps = " << getIndexingMaps() << " iterators = [";
  llvm::interleaveComma(getIterators().getAsRange<StringAttr>(), printer,
                        [&](StringAttr name) { printer << name.getValue(); });
  printer << "]";
  if (!getReductions().empty()) {
    printer << " reduce = [";
    llvm::interleaveComma(
        getReductions().getAsRange<ReduceKindAttr>(), printer,
        [&](ReduceKindAttr kind) { printer << stringify(kind.getValue()); });
    printer << "]";
  }
  printGroup(printer, "ins", getInputs());
  printGroup(printer, "captures", getCaptures());
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getLabelAttrName(), getIndexingMapsAttrName(), getIteratorsAttrName(),
       getReductionsAttrName(), getOperandSegmentSizesAttrName()});
  printer << " ";
  printer.printRegion(getBody());
  printer.printArrowTypeList(getResultTypes());
}

static ParseResult parseIterators(OpAsmParser &parser, ArrayAttr &iterators) {
  SmallVector<Attribute> names;
  auto parseName = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    names.push_back(parser.getBuilder().getStringAttr(name));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseName))
    return failure();
  iterators = parser.getBuilder().getArrayAttr(names);
  return success();
}

static ParseResult parseReductions(OpAsmParser &parser, ArrayAttr &reductions) {
  SmallVector<Attribute> kinds;
  auto parseKind = [&]() -> ParseResult {
    ReduceKindAttr kind;
    if (parseBareReduceKind(parser, kind))
      return failure();
    kinds.push_back(kind);
    return success();
  };
  if (succeeded(parser.parseOptionalKeyword("reduce")) &&
      (parser.parseEqual() ||
       parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseKind)))
    return failure();
  reductions = parser.getBuilder().getArrayAttr(kinds);
  return success();
}

/// The inverse of printGroup; `count` receives the number of values.
static ParseResult parseGroup(OpAsmParser &parser, StringRef name,
                              OperationState &state, int32_t &count) {
  count = 0;
  if (failed(parser.parseOptionalKeyword(name)))
    return success();
  SmallVector<OpAsmParser::UnresolvedOperand> values;
  SmallVector<Type> types;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLParen() || parser.parseOperandList(values) ||
      parser.parseColonTypeList(types) || parser.parseRParen() ||
      parser.resolveOperands(values, types, loc, state.operands))
    return failure();
  count = values.size();
  return success();
}

ParseResult GenericOp::parse(OpAsmParser &parser, OperationState &state) {
  StringAttr label;
  ArrayAttr maps, iterators, reductions;
  int32_t segments[2];
  if (OptionalParseResult hasLabel = parser.parseOptionalAttribute(label);
      hasLabel.has_value() && failed(*hasLabel))
    return failure();
  if (parser.parseKeyword("maps") || parser.parseEqual() ||
      parser.parseAttribute(maps) || parser.parseKeyword("iterators") ||
      parser.parseEqual() || parseIterators(parser, iterators) ||
      parseReductions(parser, reductions) ||
      parseGroup(parser, "ins", state, segments[0]) ||
      parseGroup(parser, "captures", state, segments[1]) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();
  Region *body = state.addRegion();
  SmallVector<Type> types;
  if (parser.parseRegion(*body) || parser.parseArrowTypeList(types))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), state.location);
  state.addTypes(types);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.label = label;
  properties.indexing_maps = maps;
  properties.iterators = iterators;
  properties.reductions = reductions;
  llvm::copy(segments, properties.operandSegmentSizes.begin());
  return success();
}

//===----------------------------------------------------------------------===//
// Sharding rule
//===----------------------------------------------------------------------===//

/// Iterators that some map does not use as a dimension of its own: their
/// shards would not line up with the shards of that tensor.
static llvm::SmallBitVector wholeIterators(GenericOp op) {
  llvm::SmallBitVector whole(op.getNumIterators());
  for (auto map : op.getIndexingMaps().getAsValueRange<AffineMapAttr>()) {
    llvm::SmallBitVector seen(op.getNumIterators());
    for (AffineExpr expr : map.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        if (seen.test(dim.getPosition()))
          whole.set(dim.getPosition());
        seen.set(dim.getPosition());
        continue;
      }
      for (unsigned i = 0; i < op.getNumIterators(); ++i)
        if (expr.isFunctionOfDim(i))
          whole.set(i);
    }
  }
  return whole;
}

static bool reducesInOneWay(GenericOp op) {
  return llvm::all_equal(op.getReductions());
}

static void addFactors(GenericOp op, const llvm::SmallBitVector &whole,
                       ShardingRule &rule) {
  for (auto [i, extent] : llvm::enumerate(op.getIteratorExtents())) {
    Factor factor;
    factor.size = extent;
    if (whole.test(i) || (op.isReduction(i) && !reducesInOneWay(op))) {
      factor.kind = FactorKind::NeedReplication;
    } else if (op.isReduction(i)) {
      factor.kind = FactorKind::Reduction;
      factor.reduce = op.getReduction(0);
    }
    rule.factors.push_back(factor);
  }
}

/// A dimension that runs along one iterator has its factor; all others have
/// none and stay whole.
static TensorMap tensorMap(AffineMap map) {
  TensorMap dims;
  llvm::SmallBitVector seen(map.getNumDims());
  for (AffineExpr expr : map.getResults()) {
    dims.emplace_back();
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || seen.test(dim.getPosition()))
      continue;
    seen.set(dim.getPosition());
    dims.back().push_back(dim.getPosition());
  }
  return dims;
}

FailureOr<ShardingRule> GenericOp::getShardingRule() {
  ShardingRule rule;
  for (Expr extent : getIteratorExtents())
    if (!extent)
      return emitOpError("has no sharding rule: its tensors have no layout");
  addFactors(*this, wholeIterators(*this), rule);
  for (unsigned i = 0; i < getInputs().size(); ++i)
    rule.operands.push_back(tensorMap(getInputMap(i)));
  for (Value capture : getCaptures()) {
    TensorMap &dims = rule.operands.emplace_back();
    for (Expr extent : getExtents(capture)) {
      dims.push_back({static_cast<unsigned>(rule.factors.size())});
      rule.factors.push_back({FactorKind::NeedReplication, extent});
    }
  }
  for (unsigned i = 0; i < getNumResults(); ++i)
    rule.results.push_back(tensorMap(getResultMap(i)));
  rule.partials = derivePartialSignatures(*this);
  return rule;
}
