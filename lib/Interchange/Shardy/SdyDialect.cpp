//===- SdyDialect.cpp - the words of Shardy -------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Interchange/Shardy/SdyDialect.h"

#include "dtensor/Interchange/Shardy/Passes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Texts in attributes
//===----------------------------------------------------------------------===//

/// The tokens of a mesh or a sharding as a text, from `<` to the `>` that
/// closes it: the grammar is that of lib/Sharding. Empty after an error.
static std::string parseBrackets(AsmParser &parser) {
  std::string text;
  unsigned depth = 0;
  auto punctuation = [&]() -> StringRef {
    if (succeeded(parser.parseOptionalLess()))
      return ++depth, "<";
    if (succeeded(parser.parseOptionalGreater()))
      return --depth, ">";
    if (succeeded(parser.parseOptionalComma()))
      return ", ";
    if (succeeded(parser.parseOptionalLBrace()))
      return "{";
    if (succeeded(parser.parseOptionalRBrace()))
      return "}";
    if (succeeded(parser.parseOptionalLSquare()))
      return "[";
    if (succeeded(parser.parseOptionalRSquare()))
      return "]";
    if (succeeded(parser.parseOptionalLParen()))
      return "(";
    if (succeeded(parser.parseOptionalRParen()))
      return ")";
    if (succeeded(parser.parseOptionalColon()))
      return ":";
    if (succeeded(parser.parseOptionalEqual()))
      return "=";
    if (succeeded(parser.parseOptionalQuestion()))
      return "?";
    return {};
  };
  llvm::raw_string_ostream os(text);
  auto quote = [&](StringRef name) {
    os << '"';
    llvm::printEscapedString(name, os);
    os << '"';
  };
  if (parser.parseLess())
    return {};
  os << '<';
  for (depth = 1; depth > 0;) {
    std::string string;
    StringRef keyword;
    StringAttr symbol;
    int64_t number;
    if (StringRef token = punctuation(); !token.empty())
      os << token;
    else if (succeeded(parser.parseOptionalString(&string)))
      quote(string);
    else if (succeeded(parser.parseOptionalSymbolName(symbol)))
      quote((os << '@', symbol.getValue()));
    else if (succeeded(parser.parseOptionalKeyword(&keyword)))
      os << keyword;
    else if (parser.parseOptionalInteger(number).has_value())
      os << number;
    else
      return parser.emitError(parser.getCurrentLocation(), "expected '>'"), "";
  }
  return text;
}

/// A value that `parse` makes of a text in brackets.
template <typename Value>
static std::optional<Value> parseValue(AsmParser &parser) {
  SMLoc where = parser.getCurrentLocation();
  std::string text = parseBrackets(parser);
  if (text.empty())
    return std::nullopt;
  return Value::parse(
      text, [&](const Twine &message) { parser.emitError(where) << message; });
}

Attribute sdy::MeshAttr::parse(AsmParser &parser, Type) {
  auto mesh = parseValue<SdyMesh>(parser);
  return mesh ? get(parser.getContext(), *mesh) : MeshAttr();
}

void sdy::MeshAttr::print(AsmPrinter &printer) const {
  printer << getMesh().str();
}

Attribute sdy::ShardingAttr::parse(AsmParser &parser, Type) {
  auto sharding = parseValue<SdySharding>(parser);
  return sharding ? get(parser.getContext(), *sharding) : ShardingAttr();
}

void sdy::ShardingAttr::print(AsmPrinter &printer) const {
  printer << getSharding().str();
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

namespace dtensor::sdy {

static ParseResult parseShardings(AsmParser &parser,
                                  ShardingPerValueAttr &result) {
  SmallVector<ShardingAttr> shardings;
  auto one = [&]() -> ParseResult {
    auto sharding =
        llvm::cast_or_null<ShardingAttr>(ShardingAttr::parse(parser, {}));
    shardings.push_back(sharding);
    return success(bool(sharding));
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, one))
    return failure();
  result = ShardingPerValueAttr::get(parser.getContext(), shardings);
  return success();
}

static void printShardings(AsmPrinter &printer, ShardingPerValueAttr attr) {
  printer << '[';
  llvm::interleaveComma(
      attr.getShardings(), printer,
      [&](ShardingAttr sharding) { sharding.print(printer); });
  printer << ']';
}

static void printShardings(AsmPrinter &printer, Operation *,
                           ShardingPerValueAttr attr) {
  printShardings(printer, attr);
}

Attribute ShardingPerValueAttr::parse(AsmParser &parser, Type) {
  ShardingPerValueAttr result;
  if (parser.parseLess() || parseShardings(parser, result) ||
      parser.parseGreater())
    return {};
  return result;
}

void ShardingPerValueAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printShardings(printer, *this);
  printer << '>';
}

Attribute ManualAxesAttr::parse(AsmParser &parser, Type) {
  SmallVector<StringAttr> axes;
  auto one = [&]() -> ParseResult {
    std::string name;
    if (parser.parseString(&name))
      return failure();
    axes.push_back(StringAttr::get(parser.getContext(), name));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Braces, one))
    return {};
  return get(parser.getContext(), axes);
}

void ManualAxesAttr::print(AsmPrinter &printer) const {
  printer << '{';
  llvm::interleaveComma(getAxes(), printer);
  printer << '}';
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The block's arguments in parentheses, then its ops in braces.
static ParseResult parseBody(OpAsmParser &parser, Region &body) {
  SmallVector<OpAsmParser::Argument> arguments;
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true, /*allowAttrs=*/true) ||
      parser.parseRegion(body, arguments))
    return failure();
  ManualComputationOp::ensureTerminator(
      body, parser.getBuilder(),
      parser.getEncodedSourceLoc(parser.getNameLoc()));
  return success();
}

static void printBody(OpAsmPrinter &printer, Operation *, Region &body) {
  printer << '(';
  llvm::interleaveComma(body.getArguments(), printer, [&](BlockArgument arg) {
    printer.printRegionArgument(arg);
  });
  printer << ") ";
  printer.printRegion(body, /*printEntryBlockArgs=*/false);
}

LogicalResult ManualComputationOp::verifyRegions() {
  auto results = cast<ReturnOp>(getBody().front().getTerminator());
  auto count = [&](StringRef what, size_t has, size_t expected) {
    return has == expected ? success()
                           : emitOpError("has ") << has << ' ' << what
                                                 << ", expected " << expected;
  };
  if (failed(count("in_shardings", getInShardings().getShardings().size(),
                   getNumOperands())) ||
      failed(count("out_shardings", getOutShardings().getShardings().size(),
                   getNumResults())) ||
      failed(count("block arguments", getBody().getNumArguments(),
                   getNumOperands())))
    return failure();
  return count("returned values", results.getNumOperands(), getNumResults());
}

void SdyDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dtensor/Interchange/Shardy/SdyAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dtensor/Interchange/Shardy/SdyOps.cpp.inc"
      >();
}

} // namespace dtensor::sdy

void dtensor::registerShardyInterchange(DialectRegistry &registry) {
  registry.insert<sdy::SdyDialect>();
}

#include "dtensor/Interchange/Shardy/SdyDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dtensor/Interchange/Shardy/SdyAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dtensor/Interchange/Shardy/SdyOps.cpp.inc"
