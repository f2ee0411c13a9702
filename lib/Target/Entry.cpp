//===- Entry.cpp - What a bundle exports ----------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Target/Entry.h"

#include "dtensor/Conversion/RuntimeDialect.h"
#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace dtensor;

namespace {
class EntryReader {
public:
  explicit EntryReader(func::FuncOp function) : function(function) {}

  FailureOr<Entry> read() {
    auto attribute = function->getAttrOfType<TypeAttr>("dtensor.global_type");
    auto type = attribute ? dyn_cast<FunctionType>(attribute.getValue())
                          : FunctionType();
    if (!type)
      return function.emitOpError(
          "is public but has no dtensor.global_type, which partition gives");
    if (type.getNumInputs() > function.getNumArguments() ||
        type.getNumResults() != function.getNumResults())
      return function.emitOpError("has ")
             << function.getNumArguments() << " arguments and "
             << function.getNumResults() << " results, but its global type "
             << type;
    entry.name = function.getSymName().str();
    entry.context = &getExprContext(function.getContext());
    mesh = getMeshOf(type);
    if (mesh)
      readMesh();
    if (failed(readValues(type)) || failed(readParameters(type.getNumInputs())))
      return failure();
    readFacts();
    if (failed(checkSymbols()))
      return failure();
    return std::move(entry);
  }

private:
  MeshAttr getMeshOf(FunctionType type) {
    for (TypeRange types : {type.getInputs(), type.getResults()})
      for (Type one : types)
        if (LayoutAttr layout = getLayout(one))
          return layout.getMesh();
    return getMesh(function);
  }

  void readMesh() {
    entry.declaredMesh = mesh.getMesh();
    SmallVector<MeshAxis> axes(mesh.getMesh().getAxes());
    for (MeshAxis &axis : axes)
      axis.facts = AxisFacts();
    entry.mesh = Mesh(axes);
  }

  LogicalResult readValues(FunctionType type) {
    for (auto [index, input] : llvm::enumerate(type.getInputs())) {
      EntryValue value;
      if (failed(readValue(input, "argument", index,
                           function.getArgAttrDict(index), value)))
        return failure();
      entry.arguments.push_back(std::move(value));
    }
    for (auto [index, result] : llvm::enumerate(type.getResults())) {
      EntryValue value;
      if (auto updated = function.getResultAttrOfType<IntegerAttr>(
              index, DTensorDialect::kUpdatesAttr)) {
        // It lies where the argument lies, and leaves as nothing else.
        if (getLayout(result) == getLayout(type.getInput(updated.getInt())))
          continue;
        return function.emitOpError()
               << "result " << index << " updates argument " << updated.getInt()
               << ", which has another layout";
      }
      if (failed(readValue(result, "result", index,
                           function.getResultAttrDict(index), value)))
        return failure();
      entry.results.push_back(std::move(value));
    }
    return success();
  }

  LogicalResult readValue(Type type, StringRef role, unsigned index,
                          DictionaryAttr attributes, EntryValue &value) {
    bool isArgument = role == "argument";
    value.name = (isArgument ? "arg" : "out") + std::to_string(index);
    if (attributes) {
      if (auto name = attributes.getAs<StringAttr>("dtensor.name"))
        value.name = name.str();
      if (auto symbol = attributes.getAs<StringAttr>("dtensor.symbol"))
        value.symbol = symbol.str();
      value.donated = attributes.get("dtensor.donated") != nullptr;
    }
    // A scalar result leaves as a tensor of rank 0; an index has 64 bits.
    auto tensor = dyn_cast<RankedTensorType>(type);
    value.isScalar = !tensor && isArgument;
    if (!tensor && !isArgument) {
      if (type.isIndex())
        type = IntegerType::get(type.getContext(), 64);
      value.layout = Layout::replicated(entry.mesh.getNumAxes(), {});
    }
    std::optional<int32_t> dtype = tensor
                                       ? getTensorDType(tensor.getElementType())
                                       : getRuntimeDType(type);
    if (!dtype)
      return function.emitOpError()
             << role << " " << index << " has type " << type
             << ", whose elements the runtime does not know";
    value.dtype = *dtype;
    if (!tensor)
      return success();
    LayoutAttr layout = getLayout(tensor);
    if (!layout || (mesh && layout.getMesh() != mesh))
      return function.emitOpError()
             << role << " " << index << " of its global type "
             << (layout ? "is on another mesh than those before it"
                        : "has no layout");
    value.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
    value.layout = layout.getLayout();
    return success();
  }

  // The trailing arguments, told by their attributes.
  LogicalResult readParameters(unsigned first) {
    for (unsigned i = first; i < function.getNumArguments(); ++i) {
      auto named = [&](StringRef attribute) {
        return function.getArgAttrOfType<StringAttr>(i, attribute);
      };
      if (StringAttr symbol = named("dtensor.symbol")) {
        entry.parameters.push_back(
            {EntryParameter::Symbol,
             static_cast<unsigned>(entry.symbols.size())});
        entry.symbols.push_back(symbol.str());
        continue;
      }
      StringAttr size = named("dtensor.axis_size");
      StringAttr coordinate = named("dtensor.axis_index");
      if (!size && !coordinate)
        return function.emitOpError()
               << "argument " << i << " is not one of its global type and "
               << "names no symbol, axis size or axis index";
      StringAttr axis = size ? size : coordinate;
      std::optional<unsigned> position = entry.mesh.lookup(axis);
      if (!position)
        return function.emitOpError() << "argument " << i << " names axis "
                                      << axis << ", which its mesh lacks";
      entry.parameters.push_back(
          {size ? EntryParameter::AxisSize : EntryParameter::AxisIndex,
           *position});
    }
    return success();
  }

  void readFacts() {
    entry.facts = getFacts(
        mesh, function->getAttrOfType<DictionaryAttr>("dtensor.symbols"));
  }

  // Every symbol of the signature is a parameter and is bound by an argument.
  LogicalResult checkSymbols() {
    llvm::StringSet<llvm::MallocAllocator> bound;
    for (const EntryValue &value : entry.arguments) {
      if (value.isScalar && !value.symbol.empty())
        bound.insert(value.symbol);
      for (Expr extent : value.layout.extents)
        if (std::optional<StringRef> name = extent.getSymbolName())
          bound.insert(*name);
    }
    for (const std::string &symbol : entry.symbols)
      if (!bound.contains(symbol))
        return function.emitOpError()
               << "has a symbol \"" << symbol << "\" that no argument binds: "
               << "no extent is it alone and no index argument carries it";
    return checkUses();
  }

  LogicalResult checkUses() {
    auto check = [&](const EntryValue &value, Expr expr) {
      std::string unknown;
      expr.walkSymbols([&](StringRef name, SymbolKind kind) {
        if (kind == SymbolKind::Extent &&
            !llvm::is_contained(entry.symbols, name))
          unknown = name.str();
      });
      if (unknown.empty())
        return success();
      return LogicalResult(function.emitOpError()
                           << "\"" << value.name << "\" has extent "
                           << expr.str() << ", but symbol \"" << unknown
                           << "\" is no argument of the local function");
    };
    for (ArrayRef<EntryValue> values :
         {ArrayRef(entry.arguments), ArrayRef(entry.results)})
      for (const EntryValue &value : values)
        for (Expr extent : value.layout.extents)
          if (failed(check(value, extent)))
            return failure();
    return success();
  }

  func::FuncOp function;
  MeshAttr mesh;
  Entry entry;
};
} // namespace

FailureOr<std::vector<Entry>> dtensor::collectEntries(ModuleOp module) {
  std::vector<Entry> entries;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    FailureOr<Entry> entry = EntryReader(function).read();
    if (failed(entry))
      return failure();
    entries.push_back(std::move(*entry));
  }
  if (entries.empty())
    return module.emitError(
        "module has no public function, so that a bundle of it "
        "would export nothing");
  for (const Entry &entry : entries)
    if (entry.declaredMesh != entries.front().declaredMesh)
      return module.emitError()
             << "functions \"" << entries.front().name << "\" and \""
             << entry.name << "\" are on different meshes";
  return entries;
}
