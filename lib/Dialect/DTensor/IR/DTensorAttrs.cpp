//===- DTensorAttrs.cpp - text and rules of the attributes ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

#define GET_ATTRDEF_CLASSES
#include "dtensor/Dialect/DTensor/IR/DTensorAttrs.cpp.inc"

void DTensorDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dtensor/Dialect/DTensor/IR/DTensorAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

namespace {
/// The tokens of an IR parser, for the one grammar of expressions.
class ParserTokens : public ExprTokens {
public:
  explicit ParserTokens(AsmParser &parser) : parser(parser) {}

  bool eatPunctuation(char which) override {
    switch (which) {
    case '+':
      return succeeded(parser.parseOptionalPlus());
    case '-':
      return succeeded(parser.parseOptionalMinus());
    case '*':
      return succeeded(parser.parseOptionalStar());
    case '(':
      return succeeded(parser.parseOptionalLParen());
    case ')':
      return succeeded(parser.parseOptionalRParen());
    default:
      return succeeded(parser.parseOptionalComma());
    }
  }

  bool eatKeyword(StringRef word) override {
    return succeeded(parser.parseOptionalKeyword(word));
  }

  std::optional<std::string> eatName() override {
    std::string name;
    if (failed(parser.parseOptionalKeywordOrString(&name)))
      return std::nullopt;
    return name;
  }

  std::optional<uint64_t> eatInteger(bool &tooLarge) override {
    APInt value;
    OptionalParseResult result = parser.parseOptionalInteger(value);
    if (!result.has_value() || failed(*result))
      return std::nullopt;
    tooLarge |= value.getActiveBits() > 63;
    return value.getLimitedValue();
  }

private:
  AsmParser &parser;
};
} // namespace

ParseResult dtensor::parseExpr(AsmParser &parser, Expr &expr) {
  ParserTokens tokens(parser);
  SMLoc loc = parser.getCurrentLocation();
  std::string error;
  std::optional<Expr> parsed =
      dtensor::parseExpr(tokens, getExprContext(parser.getContext()), &error);
  if (!parsed)
    return parser.emitError(loc, error);
  expr = *parsed;
  return success();
}

Attribute ExprAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  Expr expr;
  if (parser.parseLess() || dtensor::parseExpr(parser, expr) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<ExprAttr>(loc, parser.getContext(), expr);
}

void ExprAttr::print(AsmPrinter &printer) const {
  printer << "<" << getExpr().str() << ">";
}

LogicalResult ExprAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               Expr expr) {
  if (!expr)
    return emitError() << "expression is missing";
  if (expr.isOverflow())
    return emitError() << "expression overflows 64 bits or divides by a "
                          "number below 1";
  return success();
}

//===----------------------------------------------------------------------===//
// Reduction kinds
//===----------------------------------------------------------------------===//

static ParseResult parseReduceKind(AsmParser &parser, ReduceKind &kind) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  if (failed(parser.parseOptionalKeyword(&word)))
    return parser.emitError(loc, "expected sum, avg, max, min or product");
  std::optional<ReduceKind> parsed = dtensor::parseReduceKind(word);
  if (!parsed)
    return parser.emitError(loc, "expected sum, avg, max, min or product, "
                                 "not \"")
           << word << "\"";
  kind = *parsed;
  return success();
}

Attribute ReduceKindAttr::parse(AsmParser &parser, Type) {
  ReduceKind kind;
  if (parser.parseLess() || ::parseReduceKind(parser, kind) ||
      parser.parseGreater())
    return {};
  return get(parser.getContext(), kind);
}

void ReduceKindAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringify(getValue()) << ">";
}

ParseResult dtensor::parseBareReduceKind(AsmParser &parser,
                                         ReduceKindAttr &kind) {
  ReduceKind value;
  if (::parseReduceKind(parser, value))
    return failure();
  kind = ReduceKindAttr::get(parser.getContext(), value);
  return success();
}

void dtensor::printBareReduceKind(AsmPrinter &printer, Operation *,
                                  ReduceKindAttr kind) {
  printer << stringify(kind.getValue());
}

//===----------------------------------------------------------------------===//
// Mesh
//===----------------------------------------------------------------------===//

/// `divides 64` and the like, any number of them between braces.
static ParseResult parseAxisFact(AsmParser &parser, AxisFacts &facts) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef key;
  int64_t value;
  if (failed(parser.parseOptionalKeyword(&key)))
    return parser.emitError(loc, "expected min, max, divides, multiple_of or "
                                 "hint");
  if (parser.parseInteger(value))
    return failure();
  if (key == "min")
    facts.min = value;
  else if (key == "max")
    facts.max = value;
  else if (key == "divides")
    facts.divides = value;
  else if (key == "multiple_of")
    facts.multipleOf = value;
  else if (key == "hint")
    facts.hint = value;
  else
    return parser.emitError(loc, "unknown fact \"")
           << key << "\", expected min, max, divides, multiple_of or hint";
  return success();
}

static ParseResult parseAxis(AsmParser &parser, MeshAxis &axis) {
  if (parser.parseString(&axis.name) || parser.parseEqual())
    return failure();
  if (failed(parser.parseOptionalQuestion())) {
    int64_t size;
    if (parser.parseInteger(size))
      return failure();
    axis.facts.size = size;
  }
  if (failed(parser.parseOptionalLBrace()))
    return success();
  return failure(parser.parseCommaSeparatedList([&]() {
    return parseAxisFact(parser, axis.facts);
  }) || parser.parseRBrace());
}

Attribute MeshAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<MeshAxis> axes;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, [&] {
        return parseAxis(parser, axes.emplace_back());
      }))
    return {};
  return parser.getChecked<MeshAttr>(loc, parser.getContext(), Mesh(axes));
}

void MeshAttr::print(AsmPrinter &printer) const {
  printer << "<" << getMesh().str() << ">";
}

LogicalResult MeshAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               Mesh mesh) {
  return success(
      mesh.verify([&](const Twine &message) { emitError() << message; }));
}
