//===- Entry.h - What a bundle exports --------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An entry is a public function as its callers see it: global types, symbols,
// facts. It is read from the local view, where both types are known, and kept
// while the function is lowered. From it come the exported functions
// (CompiledABI.h tells what they do) and the manifest.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TARGET_ENTRY_H
#define DTENSOR_TARGET_ENTRY_H

#include "dtensor/Sharding/Facts.h"
#include "dtensor/Sharding/Layout.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace dtensor {

/// An argument or a result. A scalar result is a tensor of rank 0 here.
struct EntryValue {
  std::string name;
  bool isScalar = false;
  /// Code of Types.h.
  int32_t dtype = 0;
  /// Tensor: global sizes, ShapedType::kDynamic where not static.
  llvm::SmallVector<int64_t> shape;
  /// Tensor: its layout.
  Layout layout;
  /// Argument: the callee may overwrite it.
  bool donated = false;
  /// Index argument: the symbol that it binds, or empty.
  std::string symbol;
};

/// What one trailing argument of the local function is.
struct EntryParameter {
  enum Kind { Symbol, AxisSize, AxisIndex } kind;
  /// Position among the symbols or the mesh axes.
  unsigned index;
};

/// A fact that is checked at launch: what to say when it is broken, with {0}
/// and {1} for the two numbers.
using EntryCheck = std::string;

struct Entry {
  std::string name;
  /// With all sizes forgotten: exported functions work on any mesh.
  Mesh mesh;
  /// As declared.
  Mesh declaredMesh;
  ExprContext *context = nullptr;
  Facts facts;
  llvm::SmallVector<std::string> symbols;
  std::vector<EntryValue> arguments, results;
  llvm::SmallVector<EntryParameter> parameters;
  llvm::SmallVector<EntryCheck> checks;

  std::string getBindName() const { return name + "__bind"; }
  std::string getLayoutName() const { return name + "__layout"; }
  std::string getRunName() const { return name + "__run"; }
};

/// Reads the public functions of a module in the local view. Fails, with an
/// error at the function, on one that has no global type, that has types which
/// cannot cross the runtime's interface, or a symbol that no argument binds.
mlir::FailureOr<std::vector<Entry>> collectEntries(mlir::ModuleOp module);

/// Adds the exported functions of every entry to the code that LowerToLLVM and
/// translation made, hides everything else and tells LLVM what the runtime's
/// functions do not do. Fills in `checks`.
void emitEntryPoints(llvm::Module &module,
                     llvm::MutableArrayRef<Entry> entries);

/// The manifest (format: Bundle.h's manual). Call it after emitEntryPoints.
llvm::json::Value buildManifest(llvm::ArrayRef<Entry> entries,
                                llvm::StringRef target, llvm::StringRef cpu);

/// The bytes of a bundle: a shared object, its manifest, the footer.
std::string packBundle(const std::string &code,
                       const llvm::json::Value &manifest);

} // namespace dtensor

#endif // DTENSOR_TARGET_ENTRY_H
