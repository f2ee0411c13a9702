//===- TrailingType.cpp - `attribute : type` in an op's syntax ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TrailingType.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"

using namespace mlir;
using namespace dtensor;

Attribute dtensor::withTrailingType(Attribute attribute, Type type) {
  if (!attribute || !type)
    return attribute;
  return ArrayAttr::get(attribute.getContext(),
                        {attribute, TypeAttr::get(type)});
}

/// Splits [attribute, type]; null if `attribute` is no such list.
static Type takeTrailingType(Attribute &attribute) {
  auto list = dyn_cast<ArrayAttr>(attribute);
  auto type = list && list.size() == 2 ? dyn_cast<TypeAttr>(list[1])
                                       : TypeAttr();
  if (!type)
    return {};
  attribute = list[0];
  return type.getValue();
}

static ParseResult parseAttributes(OpAsmParser &parser,
                                   OperationState &state) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(state.attributes))
    return failure();
  auto emitError = [&] {
    return parser.emitError(loc)
           << "'" << state.name.getStringRef() << "' op ";
  };
  return state.name.verifyInherentAttrs(state.attributes, emitError);
}

ParseResult dtensor::parseAttrAndType(
    OpAsmParser &parser, OperationState &state,
    function_ref<Attribute(AsmParser &, Type)> parse, Attribute &attribute,
    RankedTensorType &type) {
  if (parser.parseCustomAttributeWithFallback(
          attribute, Type(), [&](Attribute &result, Type expected) {
            result = parse(parser, expected);
            return success(static_cast<bool>(result));
          }))
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  Type any = takeTrailingType(attribute);
  if (!any && (parseAttributes(parser, state) || parser.parseColon() ||
               parser.parseType(any)))
    return failure();
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
  printer.printOptionalAttrDict((*this)->getAttrs(), {"layout"});
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
