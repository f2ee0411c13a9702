//===- EntryEmitter.h - Parts of the exported functions ---------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_TARGET_ENTRYEMITTER_H
#define DTENSOR_LIB_TARGET_ENTRYEMITTER_H

#include "dtensor/Target/Entry.h"

#include "llvm/IR/IRBuilder.h"

namespace dtensor {

/// Expressions as i64 code; symbols are loads from the arrays that are set.
class ExprEmitter : public Folder<llvm::Value *> {
public:
  ExprEmitter(llvm::IRBuilder<> &builder, const Entry &entry)
      : builder(builder), entry(entry) {}

  llvm::Value *constant(int64_t value) override;
  llvm::Value *symbol(llvm::StringRef name, SymbolKind kind) override;
  llvm::Value *add(llvm::Value *lhs, llvm::Value *rhs) override;
  llvm::Value *mul(llvm::Value *lhs, llvm::Value *rhs) override;
  llvm::Value *binary(BinaryKind kind, llvm::Value *lhs,
                      llvm::Value *rhs) override;

  /// Element `index` of an array of i64, and its address.
  llvm::Value *load(llvm::Value *array, unsigned index);
  llvm::Value *at(llvm::Value *array, unsigned index);

  llvm::IRBuilder<> &builder;
  const Entry &entry;
  llvm::Value *symbols = nullptr, *axisSizes = nullptr, *coords = nullptr;

private:
  llvm::Value *floorDivide(llvm::Value *lhs, llvm::Value *rhs, bool remainder);
};

/// An exported function without a body.
llvm::Function *createEntryFunction(llvm::Module &module,
                                    const llvm::Twine &name, llvm::Type *result,
                                    llvm::ArrayRef<llvm::Type *> parameters);

/// Adds `<entry>__bind` and fills in the texts of its checks.
void emitBind(llvm::Module &module, Entry &entry);

} // namespace dtensor

#endif // DTENSOR_LIB_TARGET_ENTRYEMITTER_H
