//===- DTensorDialect.cpp - registration and discardable attributes -------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.cpp.inc"

namespace {
/// Types repeat their mesh: a name for it keeps them readable.
struct AsmInterface : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;

  AliasResult getAlias(Attribute attr, raw_ostream &os) const override {
    if (!isa<MeshAttr>(attr))
      return AliasResult::NoAlias;
    os << "mesh";
    return AliasResult::FinalAlias;
  }
};
} // namespace

void DTensorDialect::initialize() {
  registerAttributes();
  registerCoreOps();
  registerLocalOps();
  registerPointwiseOps();
  registerReductionOps();
  registerMatrixOps();
  registerViewOps();
  registerIndexingOps();
  registerNNOps();
  registerActivationOps();
  registerStatisticsOps();
  registerLossOps();
  registerShapingOps();
  registerScatterOps();
  registerRandomOps();
  registerBackwardOps();
  registerLossBackwardOps();
  registerOptimizerOps();
  registerWindowOps();
  registerRoutingOps();
  addInterfaces<AsmInterface>();
}

Operation *DTensorDialect::materializeConstant(OpBuilder &builder,
                                               Attribute value, Type type,
                                               Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

//===----------------------------------------------------------------------===//
// dtensor.symbols
//===----------------------------------------------------------------------===//

/// One fact of one symbol: `key = value`.
static LogicalResult verifySymbolFact(Operation *op, StringRef symbol,
                                      NamedAttribute fact) {
  auto emit = [&]() {
    return op->emitOpError("symbol \"") << symbol << "\": ";
  };
  StringRef key = fact.getName();
  if (!llvm::is_contained({"min", "max", "multiple_of", "hint"}, key))
    return emit() << "unknown key \"" << key
                  << "\", expected min, max, multiple_of or hint";
  if (key == "multiple_of" && isa<StringAttr>(fact.getValue())) {
    StringRef axis = cast<StringAttr>(fact.getValue()).getValue();
    auto function = dyn_cast<FunctionOpInterface>(op);
    MeshAttr mesh = function ? getMesh(function) : MeshAttr();
    if (!mesh)
      return emit() << "multiple_of names axis \"" << axis
                    << "\" but the function has no mesh";
    if (!mesh.getMesh().lookup(axis))
      return emit() << "multiple_of names axis \"" << axis
                    << "\" which is not an axis of the mesh";
    return success();
  }
  auto number = dyn_cast<IntegerAttr>(fact.getValue());
  if (!number || !number.getType().isInteger(64))
    return emit() << key << " is not a 64-bit integer";
  int64_t least = key == "multiple_of" ? 1 : 0;
  if (number.getInt() < least)
    return emit() << key << " is " << number.getInt() << ", expected at least "
                  << least;
  return success();
}

static LogicalResult verifySymbols(Operation *op, Attribute attr) {
  auto symbols = dyn_cast<DictionaryAttr>(attr);
  if (!symbols)
    return op->emitOpError("attribute \"dtensor.symbols\" is not a dictionary");
  for (NamedAttribute symbol : symbols) {
    StringRef name = symbol.getName();
    auto facts = dyn_cast<DictionaryAttr>(symbol.getValue());
    if (!facts)
      return op->emitOpError("symbol \"")
             << name << "\": facts are not a dictionary";
    for (NamedAttribute fact : facts)
      if (failed(verifySymbolFact(op, name, fact)))
        return failure();
    auto min = facts.getAs<IntegerAttr>("min");
    auto max = facts.getAs<IntegerAttr>("max");
    if (min && max && min.getInt() > max.getInt())
      return op->emitOpError("symbol \"") << name << "\": min " << min.getInt()
                                          << " is above max " << max.getInt();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes of functions, arguments and results
//===----------------------------------------------------------------------===//

LogicalResult DTensorDialect::verifyOperationAttribute(Operation *op,
                                                       NamedAttribute attr) {
  StringRef name = attr.getName();
  if (name == kSymbolsAttr)
    return verifySymbols(op, attr.getValue());
  if (name == kMeshAttr && !isa<MeshAttr>(attr.getValue()))
    return op->emitOpError("attribute \"dtensor.mesh\" is not a mesh");
  if (name == kGlobalTypeAttr) {
    auto type = dyn_cast<TypeAttr>(attr.getValue());
    if (!type || !isa<FunctionType>(type.getValue()))
      return op->emitOpError(
          "attribute \"dtensor.global_type\" is not a function type");
  }
  return success();
}

/// The layout that an argument or a result of plain tensor type is to have.
static LogicalResult verifyLayoutAttr(Operation *op, Type type, Attribute attr,
                                      const Twine &where) {
  auto layout = dyn_cast<LayoutAttr>(attr);
  if (!layout)
    return op->emitOpError() << where
                             << ": attribute \"dtensor.layout\" is "
                                "not a layout";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return op->emitOpError() << where << ": attribute \"dtensor.layout\" on "
                             << type << ", which is not a ranked tensor";
  return layout.verifyEncoding(tensor.getShape(), tensor.getElementType(), [&] {
    return op->emitOpError() << where << ": ";
  });
}

/// A name, on a value of type index.
static LogicalResult verifyIndexName(Operation *op, Type type,
                                     NamedAttribute attr, const Twine &where) {
  if (!isa<StringAttr>(attr.getValue()))
    return op->emitOpError()
           << where << ": attribute " << attr.getName() << " is not a string";
  if (!type.isIndex())
    return op->emitOpError() << where << ": attribute " << attr.getName()
                             << " on " << type << ", expected index";
  return success();
}

static LogicalResult verifyValueAttribute(Operation *op, Type type,
                                          NamedAttribute attr,
                                          const Twine &where) {
  StringRef name = attr.getName();
  if (name == DTensorDialect::kLayoutAttr)
    return verifyLayoutAttr(op, type, attr.getValue(), where);
  if (name == DTensorDialect::kSymbolAttr ||
      name == DTensorDialect::kAxisSizeAttr ||
      name == DTensorDialect::kAxisIndexAttr)
    return verifyIndexName(op, type, attr, where);
  if (name == DTensorDialect::kNameAttr && !isa<StringAttr>(attr.getValue()))
    return op->emitOpError()
           << where << ": attribute \"dtensor.name\" is not a string";
  if (name == DTensorDialect::kDonatedAttr && !isa<UnitAttr>(attr.getValue()))
    return op->emitOpError()
           << where << ": attribute \"dtensor.donated\" takes no value";
  return success();
}

/// A result that updates an argument: one that is donated, of the same type.
static LogicalResult verifyUpdate(FunctionOpInterface function, Type type,
                                  Attribute attr, const Twine &where) {
  auto number = dyn_cast<IntegerAttr>(attr);
  if (!number || number.getInt() < 0 ||
      number.getInt() >= int64_t(function.getNumArguments()))
    return function->emitOpError()
           << where << ": attribute \"dtensor.updates\" is " << attr
           << ", expected the number of an argument";
  unsigned index = number.getInt();
  if (!function.getArgAttr(index, DTensorDialect::kDonatedAttr))
    return function->emitOpError() << where << " updates argument " << index
                                   << ", which is not donated";
  auto result = dyn_cast<RankedTensorType>(type);
  auto argument = dyn_cast<ShapedType>(function.getArgumentTypes()[index]);
  if (!result || !argument || argument.getShape() != result.getShape() ||
      argument.getElementType() != result.getElementType())
    return function->emitOpError()
           << where << " has type " << type << " and updates argument " << index
           << " of type " << function.getArgumentTypes()[index];
  return success();
}

LogicalResult DTensorDialect::verifyRegionArgAttribute(Operation *op,
                                                       unsigned regionIndex,
                                                       unsigned argIndex,
                                                       NamedAttribute attr) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function || argIndex >= function.getNumArguments())
    return success();
  return verifyValueAttribute(op, function.getArgumentTypes()[argIndex], attr,
                              "argument " + Twine(argIndex));
}

LogicalResult DTensorDialect::verifyRegionResultAttribute(Operation *op,
                                                          unsigned regionIndex,
                                                          unsigned resultIndex,
                                                          NamedAttribute attr) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function || resultIndex >= function.getNumResults())
    return success();
  Type type = function.getResultTypes()[resultIndex];
  if (attr.getName() == kUpdatesAttr)
    return verifyUpdate(function, type, attr.getValue(),
                        "result " + Twine(resultIndex));
  return verifyValueAttribute(op, type, attr, "result " + Twine(resultIndex));
}
