//===- InputDepth.cpp - How deep a text may nest --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Pipelines/InputDepth.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <optional>

using namespace mlir;
using namespace dtensor;

// The offset at which `text` nests deeper than kMaxNesting; nullopt if it does
// not. Counts brackets outside of strings and comments. An unclosed `<` is
// often a comparison's arrow half, so `->` and `>` never go below zero.
static std::optional<size_t> findDeepNesting(StringRef text) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
      continue;
    }
    if (c == '"') {
      inString = true;
    } else if (c == '/' && text.substr(i).starts_with("//")) {
      i = std::min(text.find('\n', i), text.size());
    } else if (StringRef("([{<").contains(c)) {
      if (++depth > kMaxNesting)
        return i;
    } else if (StringRef(")]}").contains(c) ||
               (c == '>' && (i == 0 || text[i - 1] != '-'))) {
      depth -= depth > 0;
    }
  }
  return std::nullopt;
}

LogicalResult dtensor::checkInputDepth(StringRef text, StringRef name,
                                       MLIRContext *context) {
  if (isBytecode(llvm::MemoryBufferRef(text, name)))
    return success();
  std::optional<size_t> offset = findDeepNesting(text);
  if (!offset)
    return success();
  size_t line = text.take_front(*offset).count('\n') + 1;
  size_t begin = text.take_front(*offset).rfind('\n');
  size_t column = *offset - (begin == StringRef::npos ? 0 : begin + 1) + 1;
  return emitError(FileLineColLoc::get(context, name, line, column))
         << "input nests deeper than " << kMaxNesting << " levels";
}
