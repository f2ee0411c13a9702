//===- Document.cpp - one open program ------------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Document.h"

#include "dtensor/Analysis/Explain.h"
#include "dtensor/Pipelines/InputDepth.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace dtensor;
namespace lsp = llvm::lsp;

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  return registry;
}

Document::Document(lsp::URIForFile uri, std::string text)
    : uri(std::move(uri)),
      context(makeRegistry(), MLIRContext::Threading::DISABLED) {
  context.printOpOnDiagnostic(false);
  ScopedDiagnosticHandler handler(
      &context, [this](Diagnostic &diagnostic) { report(diagnostic); });
  StringRef name = this->uri.file();
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                             SMLoc());
  if (succeeded(checkInputDepth(getText(), name, &context)) &&
      succeeded(parseAsmSourceFile(sources, &parsed, &context, &state)))
    plan();
}

StringRef Document::getText() const {
  return sources.getMemoryBuffer(sources.getMainFileID())->getBuffer();
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// The innermost place in this file; its beginning where there is none.
lsp::Range Document::rangeOf(Location location) {
  lsp::Range range;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file || file.getFilename().getValue() != uri.file())
      return WalkResult::advance();
    SMLoc start = sources.FindLocForLineAndColumn(
        sources.getMainFileID(), file.getLine(), file.getColumn());
    if (start.isValid())
      range = lsp::Range(sources, AsmParserState::convertIdLocToRange(start));
    return WalkResult::interrupt();
  });
  return range;
}

static lsp::DiagnosticSeverity severityOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return lsp::DiagnosticSeverity::Error;
  case DiagnosticSeverity::Warning:
    return lsp::DiagnosticSeverity::Warning;
  case DiagnosticSeverity::Remark:
  case DiagnosticSeverity::Note:
    return lsp::DiagnosticSeverity::Information;
  }
  return lsp::DiagnosticSeverity::Error;
}

void Document::report(Diagnostic &diagnostic) {
  lsp::Diagnostic told;
  told.source = "dtensor";
  told.severity = severityOf(diagnostic.getSeverity());
  told.range = rangeOf(diagnostic.getLocation());
  told.message = diagnostic.str();
  std::vector<lsp::DiagnosticRelatedInformation> notes;
  for (Diagnostic &note : diagnostic.getNotes())
    notes.emplace_back(lsp::Location(uri, rangeOf(note.getLocation())),
                       note.str());
  if (!notes.empty())
    told.relatedInformation = std::move(notes);
  diagnostics.push_back(std::move(told));
}

//===----------------------------------------------------------------------===//
// The planned program
//===----------------------------------------------------------------------===//

/// Of several ops that one op of the text has become, the last one stands for
/// it: it gives the result.
void Document::plan() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  Block *from = &parsed;
  if (llvm::hasSingleElement(parsed))
    if (auto only = dyn_cast<ModuleOp>(parsed.front()))
      from = only.getBody();
  for (Operation &op : *from)
    module->getBody()->push_back(op.clone());
  PassManager manager(&context);
  GlobalPipelineOptions options;
  options.last = GlobalPhase::Plan;
  buildGlobalPipeline(manager, options);
  if (failed(manager.run(*module)))
    return;
  planned = std::move(module);
  planned->walk<WalkOrder::PreOrder>([&](Operation *op) {
    // Scalars of an op's body have no layout. What the compiler moves has the
    // place of an op that gives something else.
    if (op->getNumResults() > 0 && getLayout(op->getResult(0)))
      (isa<RedistributeOp>(op) ? movedAt : plannedAt)[op->getLoc()] = op;
  });
}

Value Document::findPlanned(Value value) {
  if (!planned)
    return {};
  if (auto result = dyn_cast<OpResult>(value)) {
    bool isMoved = isa<RedistributeOp>(result.getOwner());
    Operation *op = (isMoved ? movedAt : plannedAt).lookup(value.getLoc());
    return op && op->getNumResults() > result.getResultNumber()
               ? op->getResult(result.getResultNumber())
               : Value();
  }
  auto argument = cast<BlockArgument>(value);
  Region *now = findPlanned(*argument.getParentRegion());
  bool isThere = argument.getOwner()->isEntryBlock() && now && !now->empty() &&
                 argument.getArgNumber() < now->getNumArguments();
  return isThere ? Value(now->getArgument(argument.getArgNumber())) : Value();
}

/// The body of a function or of a loop.
Region *Document::findPlanned(Region &region) {
  Operation *parent = region.getParentOp(), *now = nullptr;
  if (auto func = dyn_cast<func::FuncOp>(parent))
    now = planned->lookupSymbol<func::FuncOp>(func.getName());
  else
    now = plannedAt.lookup(parent->getLoc());
  return now && region.getRegionNumber() < now->getNumRegions()
             ? &now->getRegion(region.getRegionNumber())
             : nullptr;
}

//===----------------------------------------------------------------------===//
// What is where
//===----------------------------------------------------------------------===//

static bool contains(SMRange range, SMLoc place) {
  return range.isValid() && range.Start.getPointer() <= place.getPointer() &&
         place.getPointer() < range.End.getPointer();
}

/// The definition itself or one of its uses.
static std::optional<SMRange> touch(const AsmParserState::SMDefinition &def,
                                    SMLoc place) {
  if (contains(def.loc, place))
    return def.loc;
  for (SMRange use : def.uses)
    if (contains(use, place))
      return use;
  return std::nullopt;
}

bool Document::findIn(const AsmParserState::OperationDefinition &def,
                      SMLoc place, Found &found) {
  for (const auto &group : def.resultGroups)
    if (std::optional<SMRange> where = touch(group.definition, place)) {
      found.where = *where;
      found.value = def.op->getResult(group.startIndex);
      found.definition = &group.definition.loc;
      return true;
    }
  for (SMRange use : def.symbolUses)
    if (contains(use, place)) {
      found.where = use;
      found.op = def.op;
      found.definition = &def.loc;
      return true;
    }
  if (!contains(def.loc, place))
    return false;
  found.where = def.loc;
  found.op = def.op;
  if (def.op->getNumResults() > 0)
    found.value = def.op->getResult(0);
  return true;
}

bool Document::findIn(const AsmParserState::BlockDefinition &def, SMLoc place,
                      Found &found) {
  for (auto [index, argument] : llvm::enumerate(def.arguments))
    if (std::optional<SMRange> where = touch(argument, place)) {
      found.where = *where;
      found.value = def.block->getArgument(index);
      found.definition = &argument.loc;
      return true;
    }
  std::optional<SMRange> where = touch(def.definition, place);
  if (where) {
    found.where = *where;
    found.definition = &def.definition.loc;
  }
  return where.has_value();
}

Document::Found Document::find(SMLoc place) {
  Found found;
  if (!place.isValid())
    return found;
  for (const auto &def : state.getAttributeAliasDefs())
    if (std::optional<SMRange> where = touch(def.definition, place)) {
      found.where = *where;
      found.alias = &def;
      found.definition = &def.definition.loc;
      return found;
    }
  for (const auto &def : state.getTypeAliasDefs())
    if (std::optional<SMRange> where = touch(def.definition, place)) {
      found.where = *where;
      found.typeAlias = &def;
      found.definition = &def.definition.loc;
      return found;
    }
  for (const auto &def : state.getBlockDefs())
    if (findIn(def, place, found))
      return found;
  for (const auto &def : state.getOpDefs())
    if (findIn(def, place, found))
      return found;
  return found;
}

//===----------------------------------------------------------------------===//
// Answers
//===----------------------------------------------------------------------===//

static void printLocalSizes(LayoutAttr layout, const Facts &facts,
                            raw_ostream &os) {
  ExprContext &exprs = getExprContext(layout.getContext());
  llvm::interleaveComma(llvm::seq<unsigned>(0, layout.getLayout().getRank()),
                        os, [&](unsigned dim) {
                          os << localDim(layout.getMesh().getMesh(),
                                         layout.getLayout(), dim, exprs, &facts)
                                    .size;
                        });
}

void Document::describe(Value value, raw_ostream &os) {
  LayoutAttr layout = getLayout(value);
  if (!layout)
    return;
  auto func = value.getParentRegion()->getParentOfType<func::FuncOp>();
  os << "\n\nlayout: `" << layout << "`\n\non one device: `(";
  printLocalSizes(layout, getFacts(func), os);
  os << ")`";
  for (const std::string &reason : explainValue(value))
    os << "\n\n" << reason;
}

std::optional<lsp::Hover> Document::hover(lsp::Position position) {
  Found found = find(position.getAsSMLoc(sources));
  if (!found.value && !found.op && !found.alias && !found.typeAlias)
    return std::nullopt;
  lsp::Hover hover{lsp::Range(sources, found.where)};
  llvm::raw_string_ostream os(hover.contents.value);
  if (found.alias)
    os << "`#" << found.alias->name << " = " << found.alias->value << '`';
  else if (found.typeAlias)
    os << "`!" << found.typeAlias->name << " = " << found.typeAlias->value
       << '`';
  else if (found.op)
    os << '`' << found.op->getName() << '`';
  if (found.value) {
    os << (found.op ? " : `" : "`") << found.value.getType() << '`';
    if (Value value = findPlanned(found.value))
      describe(value, os);
  }
  return hover;
}

std::vector<lsp::Location> Document::define(lsp::Position position) {
  Found found = find(position.getAsSMLoc(sources));
  if (!found.definition)
    return {};
  return {lsp::Location(uri, sources, *found.definition)};
}
