//===- Document.h - one open program ----------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the text twice: as it stands, to know what is where, and through the
// phases up to `plan`, to know what becomes of it. A value of the text is
// found again in the planned program by the place of its op.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TOOLS_LSP_SERVER_DOCUMENT_H
#define DTENSOR_TOOLS_LSP_SERVER_DOCUMENT_H

#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/LSP/Protocol.h"
#include "llvm/Support/SourceMgr.h"

namespace dtensor {

class Document {
public:
  Document(llvm::lsp::URIForFile uri, std::string text);

  llvm::StringRef getText() const;
  /// What parsing and the phases had to say.
  const std::vector<llvm::lsp::Diagnostic> &getDiagnostics() const {
    return diagnostics;
  }

  /// For a value: its layout, what one device has of it, and why. For an alias
  /// such as `#mesh` or `!rows`: what it stands for.
  std::optional<llvm::lsp::Hover> hover(llvm::lsp::Position position);
  /// Where the mesh, layout, type, value, block or function is defined.
  std::vector<llvm::lsp::Location> define(llvm::lsp::Position position);

private:
  /// What the text has at one place. One of the pointers, or none.
  struct Found {
    mlir::SMRange where;
    mlir::Value value;
    mlir::Operation *op = nullptr;
    const mlir::AsmParserState::AttributeAliasDefinition *alias = nullptr;
    const mlir::AsmParserState::TypeAliasDefinition *typeAlias = nullptr;
    /// Null where nothing defines it.
    const mlir::SMRange *definition = nullptr;
  };

  void report(mlir::Diagnostic &diagnostic);
  llvm::lsp::Range rangeOf(mlir::Location location);
  void plan();
  Found find(mlir::SMLoc place);
  bool findIn(const mlir::AsmParserState::OperationDefinition &def,
              mlir::SMLoc place, Found &found);
  bool findIn(const mlir::AsmParserState::BlockDefinition &def,
              mlir::SMLoc place, Found &found);
  mlir::Value findPlanned(mlir::Value value);
  mlir::Region *findPlanned(mlir::Region &region);
  void describe(mlir::Value value, llvm::raw_ostream &os);

  llvm::lsp::URIForFile uri;
  llvm::SourceMgr sources;
  mlir::MLIRContext context;
  mlir::AsmParserState state;
  mlir::Block parsed;
  mlir::OwningOpRef<mlir::ModuleOp> planned; // null after an error
  /// Of `planned`, by place: redistributions, and all else.
  llvm::DenseMap<mlir::Location, mlir::Operation *> movedAt, plannedAt;
  std::vector<llvm::lsp::Diagnostic> diagnostics;
};

} // namespace dtensor

#endif // DTENSOR_TOOLS_LSP_SERVER_DOCUMENT_H
