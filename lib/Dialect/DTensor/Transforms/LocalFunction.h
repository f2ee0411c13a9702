//===- LocalFunction.h - the function that one rank runs --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The signature of a local function, and what its body asks about sizes. After
// its own arguments it takes, in this order,
//
//   one index per symbol, sorted by name
//   one index per mesh axis: its size
//   one index per mesh axis: this rank's coordinate
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_TRANSFORMS_LOCALFUNCTION_H
#define DTENSOR_DIALECT_DTENSOR_TRANSFORMS_LOCALFUNCTION_H

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Dialect/DTensor/Utils/ExprMaterializer.h"
#include "dtensor/Interfaces/Interfaces.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace dtensor {

class LocalFunction : public PartitionContext {
public:
  /// Creates the empty local form of `global` in front of it.
  LocalFunction(mlir::func::FuncOp global, MeshAttr mesh);

  mlir::func::FuncOp getFunction() { return local; }
  mlir::func::FuncOp getGlobal() { return global; }
  MeshAttr getMeshAttr() const { return mesh; }
  const Facts &getFacts() const { return facts; }
  /// Inserts what is computed once, before the body.
  mlir::OpBuilder &getEntryBuilder() { return exprs->getBuilder(); }
  /// Removes the mark between entry and body.
  void finish() { mark->erase(); }

  /// Global values to local ones.
  mlir::IRMapping &getMapping() { return mapping; }

  // PartitionContext.
  mlir::Value getLocal(mlir::Value value) override {
    return mapping.lookup(value);
  }
  mlir::Value materialize(Expr expr) override;
  mlir::Value getLocalSize(mlir::Value value, unsigned dim) override;
  mlir::Value getOffset(mlir::Value value, unsigned dim) override;
  mlir::RankedTensorType getLocalType(mlir::Value value) override;
  bool isWhole(mlir::Value value, unsigned dim) override;

  /// The same for any layout, for the steps of a redistribution.
  const LocalDim &getLocalDim(LayoutAttr layout, unsigned dim);
  mlir::RankedTensorType getLocalType(mlir::Type element, LayoutAttr layout);
  /// `type` itself if it has no layout.
  mlir::Type getLocalType(mlir::Type type);
  /// Coordinates and sizes of the mesh axes, as values.
  mlir::Value getAxisSize(unsigned axis);
  mlir::Value getAxisIndex(unsigned axis);

  /// Symbols of a global function in the order of its local arguments.
  static llvm::SmallVector<std::string> symbolsOf(mlir::func::FuncOp global);

private:
  void createSignature();
  void addArguments(llvm::SmallVectorImpl<mlir::Type> &types,
                    llvm::SmallVectorImpl<mlir::DictionaryAttr> &attributes);
  void bindArguments();

  mlir::func::FuncOp global, local;
  MeshAttr mesh;
  Facts facts;
  ExprContext &context;
  llvm::SmallVector<std::string> symbols;
  std::optional<ExprMaterializer> exprs;
  mlir::Operation *mark = nullptr;
  mlir::IRMapping mapping;
  llvm::DenseMap<std::pair<LayoutAttr, unsigned>, LocalDim> dims;
};

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_TRANSFORMS_LOCALFUNCTION_H
