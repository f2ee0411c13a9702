//===- ShardingImport.h - shardings of a module as layouts ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARDY_SHARDINGIMPORT_H
#define DTENSOR_INTERCHANGE_SHARDY_SHARDINGIMPORT_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Interchange/Shardy/SdyDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace dtensor {

/// The one mesh of a module and what its shardings are on it.
class ShardingImport {
public:
  ShardingImport(mlir::ModuleOp module, SdyDetail detail)
      : module(module), detail(detail) {}

  /// Reads all meshes and shardings; fails after an error. A module without
  /// any has no mesh afterwards.
  llvm::LogicalResult collect();

  MeshAttr getMesh() const { return mesh; }
  /// Without axes where there is none.
  const SdyMesh &getSdyMesh() const { return sdyMesh; }

  /// The layout of a tensor of this type; null after an error at `op` about
  /// `what`. Dynamic sizes are new symbols.
  LayoutAttr getLayout(sdy::ShardingAttr sharding, mlir::Type type,
                       mlir::Operation *op, const llvm::Twine &what);

  /// A `dtensor.constraint` of `value`; null after an error.
  mlir::Value constrain(mlir::OpBuilder &builder, mlir::Value value,
                        sdy::ShardingAttr sharding, mlir::Operation *op,
                        const llvm::Twine &what);

private:
  llvm::LogicalResult addSharding(sdy::ShardingAttr sharding,
                                  mlir::Operation *op, const llvm::Twine &what);
  llvm::LogicalResult addAttribute(mlir::Attribute attr, mlir::Operation *op,
                                   const llvm::Twine &what);
  llvm::LogicalResult addShardingsOf(mlir::Operation *op);

  mlir::ModuleOp module;
  SdyDetail detail;
  llvm::StringMap<SdyMesh> named;
  SdyMesh sdyMesh;
  mlir::Operation *meshUser = nullptr;
  std::vector<SdySharding> shardings;
  MeshAttr mesh;
  unsigned symbols = 0;
};

/// Puts the ops of every `sdy.manual_computation` below `root` into the program
/// around it; fails after an error where that would change what they compute.
llvm::LogicalResult inlineManualComputations(mlir::Operation *root,
                                             ShardingImport &shardings);

} // namespace dtensor

#endif // DTENSOR_INTERCHANGE_SHARDY_SHARDINGIMPORT_H
