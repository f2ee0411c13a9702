//===- TrailingType.cpp - `attribute : type` in an op's syntax ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TrailingType.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace dtensor;

/// Where the op that is being parsed on this thread takes a type; null outside
/// of its attribute.
static thread_local Type *receiver = nullptr;

ParseResult dtensor::giveTrailingType(AsmParser &parser, SMLoc loc, Type type) {
  if (!type)
    return success();
  if (!receiver || *receiver)
    return parser.emitError(loc, "this attribute has no type, got ") << type;
  *receiver = type;
  return success();
}

static ParseResult parseAttributes(OpAsmParser &parser, OperationState &state) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(state.attributes))
    return failure();
  auto emitError = [&] {
    return parser.emitError(loc) << "'" << state.name.getStringRef() << "' op ";
  };
  return state.name.verifyInherentAttrs(state.attributes, emitError);
}

ParseResult
dtensor::parseAttrAndType(OpAsmParser &parser, OperationState &state,
                          function_ref<Attribute(AsmParser &, Type)> parse,
                          Attribute &attribute, RankedTensorType &type) {
  SMLoc loc = parser.getCurrentLocation();
  Type any;
  {
    llvm::SaveAndRestore scope(receiver, &any);
    if (parser.parseCustomAttributeWithFallback(
            attribute, Type(), [&](Attribute &result, Type expected) {
              result = parse(parser, expected);
              return success(static_cast<bool>(result));
            }))
      return failure();
  }
  if (!any) {
    if (parseAttributes(parser, state) || parser.parseColon())
      return failure();
    loc = parser.getCurrentLocation();
    if (parser.parseType(any))
      return failure();
  }
  type = dyn_cast<RankedTensorType>(any);
  if (!type)
    return parser.emitError(loc, "expected a ranked tensor, got ") << any;
  return success();
}

//===----------------------------------------------------------------------===//
// constraint: input `to` layout attr-dict `:` type
//===----------------------------------------------------------------------===//

ParseResult ConstraintOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand input;
  LayoutAttr layout;
  RankedTensorType type;
  if (parser.parseOperand(input) || parser.parseKeyword("to") ||
      parseAttrAndType(parser, state, layout, type) ||
      parser.resolveOperand(input, type, state.operands))
    return failure();
  state.getOrAddProperties<Properties>().layout = layout;
  state.addTypes(type);
  return success();
}

void ConstraintOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getInput() << " to ";
  printer.printStrippedAttrOrType(getLayoutAttr());
  SmallVector<StringRef> silent = {"layout"};
  if (getPriority() == 0)
    silent.push_back("priority");
  printer.printOptionalAttrDict((*this)->getAttrs(), silent);
  printer << " : " << getInput().getType();
}

//===----------------------------------------------------------------------===//
// redistribute: input (`plan` plan)? attr-dict `:` type `to` type
//===----------------------------------------------------------------------===//

ParseResult RedistributeOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand input;
  RankedTensorType from, to;
  if (parser.parseOperand(input))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("plan"))) {
    PlanAttr plan;
    if (parseAttrAndType(parser, state, plan, from))
      return failure();
    state.getOrAddProperties<Properties>().plan = plan;
  } else if (parseAttributes(parser, state) || parser.parseColon() ||
             parser.parseCustomTypeWithFallback(from)) {
    return failure();
  }
  if (parser.parseKeyword("to") || parser.parseCustomTypeWithFallback(to) ||
      parser.resolveOperand(input, from, state.operands))
    return failure();
  state.addTypes(to);
  return success();
}

void RedistributeOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getInput();
  if (PlanAttr plan = getPlanAttr()) {
    printer << " plan ";
    printer.printStrippedAttrOrType(plan);
  }
  printer.printOptionalAttrDict((*this)->getAttrs(), {"plan"});
  printer << " : " << getInput().getType() << " to " << getType();
}
