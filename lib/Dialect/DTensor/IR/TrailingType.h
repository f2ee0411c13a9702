//===- TrailingType.h - `attribute : type` in an op's syntax ----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR reads a `: type` behind the full form of an attribute as a part of it:
// of `to #dtensor.layout<...> : tensor<4xf32>` nothing is left for the op. Our
// attributes have no type: given one, their parser hands it to the op that is
// being parsed, or fails where no op waits for it.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_TRAILINGTYPE_H
#define DTENSOR_DIALECT_DTENSOR_IR_TRAILINGTYPE_H

#include "mlir/IR/OpImplementation.h"

namespace dtensor {

/// The last step of an attribute's parser, which was given `type`: succeeds if
/// that is null or an op takes it, else an error at `loc`.
mlir::ParseResult giveTrailingType(mlir::AsmParser &parser, llvm::SMLoc loc,
                                   mlir::Type type);

/// Parses an attribute by `parse` or in its full form, attr-dict, `:`, and the
/// type of a ranked tensor. Attributes go to `state`.
mlir::ParseResult parseAttrAndType(
    mlir::OpAsmParser &parser, mlir::OperationState &state,
    llvm::function_ref<mlir::Attribute(mlir::AsmParser &, mlir::Type)> parse,
    mlir::Attribute &attribute, mlir::RankedTensorType &type);

/// The same, and the attribute must be of one kind.
template <typename AttrT>
mlir::ParseResult
parseAttrAndType(mlir::OpAsmParser &parser, mlir::OperationState &state,
                 AttrT &attribute, mlir::RankedTensorType &type) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  mlir::Attribute any;
  if (parseAttrAndType(parser, state, AttrT::parse, any, type))
    return mlir::failure();
  attribute = llvm::dyn_cast<AttrT>(any);
  if (!attribute)
    return parser.emitError(loc, "invalid kind of attribute specified");
  return mlir::success();
}

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_TRAILINGTYPE_H
