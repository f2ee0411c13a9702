//===- PlanAttr.cpp - text and rules of redistribution plans --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One step is `kind ["axis", ...] operands to [placements] bytes expression`.
// The layout after each step is text, not recomputed: a regroup may end in any
// unit or order, and readers want to see it.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "AxisName.h"
#include "TrailingType.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace dtensor;

bool dtensor::operator==(const Step &lhs, const Step &rhs) {
  return lhs.kind == rhs.kind && lhs.axes == rhs.axes && lhs.dim == rhs.dim &&
         lhs.fromDim == rhs.fromDim && lhs.reduce == rhs.reduce &&
         lhs.result == rhs.result && lhs.bytes == rhs.bytes;
}

bool dtensor::operator==(const Plan &lhs, const Plan &rhs) {
  return lhs.bytes == rhs.bytes && lhs.steps == rhs.steps;
}

llvm::hash_code dtensor::hash_value(const Plan &plan) {
  llvm::hash_code hash = hash_value(plan.bytes);
  for (const Step &step : plan.steps)
    hash = llvm::hash_combine(hash, static_cast<int>(step.kind), step.dim,
                              step.fromDim, static_cast<int>(step.reduce),
                              hash_value(step.result), hash_value(step.bytes),
                              llvm::hash_combine_range(step.axes));
  return hash;
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

Plan dtensor::canonicalizePlan(Plan plan, MLIRContext *context,
                               ArrayRef<Expr> extents) {
  Expr zero = Expr::constant(dtensor::getExprContext(context), 0);
  plan.bytes = zero;
  plan.time = 0;
  for (Step &step : plan.steps) {
    step.time = 0;
    step.bytes = step.bytes ? step.bytes : zero;
    step.result.extents.assign(extents.begin(), extents.end());
    step.result.canonicalizeOrder();
    plan.bytes = plan.bytes + step.bytes;
  }
  return plan;
}

static LogicalResult verifyStep(function_ref<InFlightDiagnostic()> emitError,
                                const Mesh &mesh, const Step &step) {
  if (step.axes.empty())
    return emitError() << stringify(step.kind) << " names no axis";
  llvm::SmallBitVector seen(mesh.getNumAxes());
  for (unsigned axis : step.axes) {
    if (axis >= mesh.getNumAxes())
      return emitError() << stringify(step.kind) << " names axis " << axis
                         << " but mesh has " << mesh.getNumAxes() << " axes";
    if (seen.test(axis))
      return emitError() << stringify(step.kind) << " names axis \""
                         << mesh.getName(axis) << "\" twice";
    seen.set(axis);
  }
  unsigned rank = step.result.getRank();
  bool usesDim =
      step.kind != StepKind::AllReduce && step.kind != StepKind::InitPartial;
  unsigned dim =
      std::max(step.dim, step.kind == StepKind::AllToAll ? step.fromDim : 0);
  if (usesDim && dim >= rank)
    return emitError() << stringify(step.kind) << " dim " << dim
                       << " is out of range for rank " << rank;
  if (step.bytes.isOverflow())
    return emitError() << stringify(step.kind) << " bytes overflow";
  return success(step.result.verify(
      mesh, [&](const Twine &message) { emitError() << message; }));
}

LogicalResult PlanAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               MeshAttr mesh, Plan plan,
                               ArrayRef<Expr> extents) {
  for (const Step &step : plan.steps)
    if (failed(verifyStep(emitError, mesh.getMesh(), step)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static constexpr StepKind kAllKinds[] = {
    StepKind::AllGather, StepKind::AllReduce,  StepKind::ReduceScatter,
    StepKind::AllToAll,  StepKind::ShardSlice, StepKind::InitPartial,
    StepKind::Regroup};

static bool usesReduce(StepKind kind) {
  return kind == StepKind::AllReduce || kind == StepKind::ReduceScatter ||
         kind == StepKind::InitPartial;
}

static bool usesDim(StepKind kind) {
  return kind != StepKind::AllReduce && kind != StepKind::InitPartial;
}

static ParseResult parseKind(AsmParser &parser, StepKind &kind) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  if (parser.parseKeyword(&word))
    return failure();
  for (StepKind candidate : kAllKinds) {
    if (word != stringify(candidate))
      continue;
    kind = candidate;
    return success();
  }
  return parser.emitError(loc, "unknown step \"") << word << "\"";
}

static ParseResult parseStep(AsmParser &parser, MeshAttr mesh, Step &step) {
  if (parseKind(parser, step.kind) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parseAxisName(parser, mesh.getMesh(), step.axes.emplace_back());
      }))
    return failure();
  ReduceKindAttr reduce;
  if (usesReduce(step.kind)) {
    if (parseBareReduceKind(parser, reduce))
      return failure();
    step.reduce = reduce.getValue();
  }
  if (usesDim(step.kind) &&
      (parser.parseKeyword("dim") || parser.parseInteger(step.dim)))
    return failure();
  if (step.kind == StepKind::AllToAll &&
      (parser.parseKeyword("from") || parser.parseInteger(step.fromDim)))
    return failure();
  if (parser.parseKeyword("to") || parsePlacements(parser, mesh, step.result))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("bytes")))
    return dtensor::parseExpr(parser, step.bytes);
  return success();
}

Attribute PlanAttr::parse(AsmParser &parser, Type type) {
  SMLoc loc = parser.getCurrentLocation();
  MeshAttr mesh;
  SmallVector<Expr> extents;
  Plan plan;
  if (parser.parseLess() || parser.parseAttribute(mesh) ||
      parser.parseComma() || parseExtents(parser, extents) ||
      parser.parseComma() ||
      parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square,
          [&] { return parseStep(parser, mesh, plan.steps.emplace_back()); }) ||
      parser.parseGreater() || giveTrailingType(parser, loc, type))
    return {};
  auto emitError = [&] { return parser.emitError(loc); };
  return PlanAttr::getChecked(emitError, mesh, plan, extents);
}

static void printStep(AsmPrinter &printer, MeshAttr mesh, const Step &step) {
  printer << stringify(step.kind) << " [";
  llvm::interleaveComma(step.axes, printer, [&](unsigned axis) {
    printer.printString(mesh.getMesh().getName(axis));
  });
  printer << "]";
  if (usesReduce(step.kind))
    printer << " " << stringify(step.reduce);
  if (usesDim(step.kind))
    printer << " dim " << step.dim;
  if (step.kind == StepKind::AllToAll)
    printer << " from " << step.fromDim;
  printer << " to ";
  printPlacements(printer, mesh, step.result);
  if (!step.bytes.isConstant(0))
    printer << " bytes " << step.bytes.str();
}

void PlanAttr::print(AsmPrinter &printer) const {
  printer << "<" << getMesh() << ", ";
  printExtents(printer, getExtents());
  printer << ", [";
  llvm::interleaveComma(getSteps(), printer, [&](const Step &step) {
    printStep(printer, getMesh(), step);
  });
  printer << "]>";
}
