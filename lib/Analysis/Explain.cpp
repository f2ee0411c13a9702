//===- Explain.cpp - why a program moves what it moves --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Analysis/Explain.h"

#include "ExplainMovement.h"
#include "dtensor/Analysis/Passes.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/Format.h"

namespace dtensor {
#define GEN_PASS_DEF_EXPLAIN
#include "dtensor/Analysis/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

namespace {
/// Numbers the ops of a function in program order; an op with regions ends
/// after all that is in them.
class Lifetimes {
public:
  explicit Lifetimes(FunctionReport &report) : report(report) {}
  void run();

private:
  void number(Block &block);
  void add(Value value, unsigned birth);
  unsigned lastUse(Value value);
  Expr bytesOf(Value value);

  FunctionReport &report;
  DenseMap<Operation *, unsigned> ends;
  DenseMap<Value, unsigned> deaths;
  unsigned next = 0;
};
} // namespace

/// What renames a value and what a scalar body computes hold no memory.
static bool isAlias(Operation *op) {
  if (auto move = dyn_cast<RedistributeOp>(op))
    return move.getPlanAttr() && move.getPlanAttr().getSteps().empty();
  return isa<RefineOp>(op);
}

Expr Lifetimes::bytesOf(Value value) {
  ExprContext &context = getExprContext(report.func.getContext());
  Operation *op = value.getDefiningOp();
  if (op && isAlias(op))
    return Expr::constant(context, 0);
  const Layout &layout = getLayout(value).getLayout();
  Expr bytes = Expr::constant(context, getElementBytes(value.getType()));
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    bytes =
        bytes * localDim(report.getMesh(), layout, dim, context, &report.facts)
                    .capacity;
  return report.facts.simplify(bytes);
}

void Lifetimes::add(Value value, unsigned birth) {
  if (getLayout(value))
    report.lifetimes.push_back({value, bytesOf(value), birth, birth});
}

void Lifetimes::number(Block &block) {
  for (BlockArgument argument : block.getArguments())
    add(argument, next);
  for (Operation &op : block) {
    unsigned begin = next++;
    if (!isa<ShardingRuleOpInterface>(op))
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          number(inner);
    ends[&op] = next > begin + 1 ? next++ : begin;
    for (Value result : op.getResults())
      add(result, begin);
  }
}

/// The end of the last op that uses `value` in its own block; names count.
unsigned Lifetimes::lastUse(Value value) {
  auto [slot, isNew] = deaths.try_emplace(value, 0);
  if (!isNew)
    return slot->second;
  unsigned last = 0;
  for (Operation *user : value.getUsers()) {
    Operation *here = value.getParentBlock()->findAncestorOpInBlock(*user);
    last = std::max(last, here ? ends.lookup(here) : 0);
    if (isAlias(user))
      last = std::max(last, lastUse(user->getResult(0)));
  }
  return deaths[value] = last;
}

void Lifetimes::run() {
  Block &body = report.func.getBody().front();
  number(body);
  report.numPositions = next;
  for (Lifetime &lifetime : report.lifetimes) {
    bool isArgument = lifetime.value.getParentBlock() == &body &&
                      isa<BlockArgument>(lifetime.value);
    lifetime.death = std::max(lifetime.birth,
                              isArgument ? next - 1 : lastUse(lifetime.value));
  }
}

/// Sweeps over the positions once; sums at the hints decide.
static Expr findPeak(const FunctionReport &report) {
  std::vector<int64_t> change(report.numPositions + 1);
  for (const Lifetime &lifetime : report.lifetimes) {
    int64_t bytes = report.facts.hint(lifetime.bytes);
    change[lifetime.birth] += bytes;
    change[lifetime.death + 1] -= bytes;
  }
  int64_t live = 0, most = -1;
  unsigned peak = 0;
  for (unsigned position = 0; position < report.numPositions; ++position) {
    live += change[position];
    if (live > most)
      most = live, peak = position;
  }
  Expr sum = Expr::constant(getExprContext(report.mesh.getContext()), 0);
  for (const Lifetime &lifetime : report.lifetimes)
    if (lifetime.birth <= peak && peak <= lifetime.death)
      sum = sum + lifetime.bytes;
  return sum;
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static FunctionReport reportOn(func::FuncOp func, MeshAttr mesh) {
  FunctionReport report;
  report.func = func;
  report.mesh = mesh;
  report.facts = getFacts(func);
  report.bytes = Expr::constant(getExprContext(func.getContext()), 0);
  MovementExplainer explainer(func, mesh, report.facts);
  llvm::SmallSet<int64_t, 8> buckets;
  func.walk<WalkOrder::PreOrder>([&](RedistributeOp op) {
    std::optional<Movement> movement = explainer.explain(op);
    if (!movement)
      return;
    if (!movement->bucket || buckets.insert(*movement->bucket).second)
      report.collectives += movement->plan.collectives();
    report.bytes = report.bytes + movement->plan.bytes;
    report.time += movement->plan.time;
    report.movements.push_back(std::move(*movement));
  });
  Lifetimes(report).run();
  report.peak = findPeak(report);
  return report;
}

namespace {
/// Adds to every report what the functions that it calls move.
class CallTotals {
public:
  explicit CallTotals(std::vector<FunctionReport> &reports) {
    for (FunctionReport &report : reports)
      byName[report.func.getName()] = &report;
    for (FunctionReport &report : reports)
      add(report);
  }

private:
  void add(FunctionReport &report) {
    if (!visited.insert(&report).second)
      return;
    report.func.walk([&](CallOp call) {
      FunctionReport *callee = byName.lookup(call.getCallee());
      if (!callee)
        return;
      add(*callee);
      report.collectives += callee->collectives;
      report.time += callee->time;
      report.bytes =
          report.bytes +
          callee->bytes.substitute([&](StringRef name, SymbolKind kind) {
            auto bound = call.getSymbols().getAs<ExprAttr>(name);
            return bound && kind == SymbolKind::Extent ? bound.getExpr()
                                                       : Expr();
          });
    });
    report.bytes = report.facts.simplify(report.bytes);
  }

  llvm::StringMap<FunctionReport *> byName;
  llvm::SmallPtrSet<FunctionReport *, 8> visited;
};
} // namespace

std::vector<FunctionReport> dtensor::explain(Operation *root) {
  std::vector<FunctionReport> reports;
  root->walk([&](func::FuncOp func) {
    if (MeshAttr mesh = func.isExternal() ? MeshAttr() : getMesh(func))
      reports.push_back(reportOn(func, mesh));
  });
  CallTotals totals(reports);
  return reports;
}

std::vector<std::string> dtensor::explainValue(Value value) {
  auto func = value.getParentRegion()->getParentOfType<func::FuncOp>();
  LayoutAttr layout = getLayout(value);
  if (!func || !layout)
    return {};
  Facts facts = getFacts(func);
  MovementExplainer explainer(func, layout.getMesh(), facts);
  std::vector<std::string> lines = {explainer.describeChoice(value)};
  for (Operation *user : value.getUsers()) {
    auto move = dyn_cast<RedistributeOp>(user);
    std::optional<Movement> movement =
        move ? explainer.explain(move) : std::nullopt;
    if (!movement)
      continue;
    std::string line = movement->describeSteps() + ", " +
                       describeBytes(movement->plan.bytes, facts);
    for (const std::string &wanted : movement->wanted)
      line += "; " + wanted;
    lines.push_back(std::move(line));
  }
  return lines;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string microseconds(double time) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2f us", time);
  return text;
}

static std::string describeRejected(const RejectedWay &way,
                                    const Facts &facts) {
  std::string text = "rejected: " + way.what + ": ";
  if (way.bytes)
    text += describeBytes(way.bytes, facts) + ", ";
  return text + microseconds(way.time) + " instead of " +
         microseconds(way.instead);
}

static void printMovement(const Movement &movement, const Facts &facts,
                          raw_ostream &os) {
  RedistributeOp op = movement.op;
  os << describeLocation(movement.where) << ": " << movement.describeSteps()
     << "\n  " << movement.given << '\n';
  for (const std::string &wanted : movement.wanted)
    os << "  " << wanted << '\n';
  if (movement.plan.steps.empty()) {
    os << "  the pieces are proved to be the same\n";
    return;
  }
  os << "  " << describeBytes(movement.plan.bytes, facts) << ", "
     << microseconds(movement.plan.time);
  os << (movement.inLoop ? ", each time around a loop\n" : "\n");
  const Mesh &mesh = getLayout(op.getResult()).getMesh().getMesh();
  if (movement.plan.steps.size() > 1)
    for (const Step &step : movement.plan.steps)
      os << "    " << dtensor::describeSteps(mesh, step) << ": "
         << describeBytes(step.bytes, facts) << ", " << microseconds(step.time)
         << '\n';
  for (const RejectedWay &way : movement.rejected)
    os << "  " << describeRejected(way, facts) << '\n';
}

void dtensor::printExplanation(ArrayRef<FunctionReport> reports,
                               raw_ostream &os) {
  for (const FunctionReport &report : reports) {
    func::FuncOp func = report.func;
    os << '@' << func.getName() << " at " << describeLocation(func.getLoc())
       << " on mesh " << report.getMesh().str() << '\n'
       << "  " << report.collectives
       << (report.collectives == 1 ? " collective" : " collectives") << ", "
       << describeBytes(report.bytes, report.facts) << " sent by one rank, "
       << microseconds(report.time) << '\n'
       << "  peak memory of one rank, estimated: "
       << describeBytes(report.peak, report.facts) << "\n\n";
    for (const Movement &movement : report.movements) {
      printMovement(movement, report.facts, os);
      os << '\n';
    }
  }
}

//===----------------------------------------------------------------------===//
// Remarks
//===----------------------------------------------------------------------===//

static void emitRemark(const Movement &movement, const Facts &facts) {
  RedistributeOp op = movement.op;
  InFlightDiagnostic remark = mlir::emitRemark(movement.where)
                              << movement.describeSteps();
  if (!movement.plan.steps.empty())
    remark << ": " << describeBytes(movement.plan.bytes, facts) << ", "
           << microseconds(movement.plan.time)
           << (movement.inLoop ? ", each time around a loop" : "");
  remark.attachNote(op.getInput().getLoc()) << movement.given;
  for (const std::string &wanted : movement.wanted)
    remark.attachNote() << wanted;
  for (const RejectedWay &way : movement.rejected)
    remark.attachNote() << describeRejected(way, facts);
}

namespace {
struct ExplainPass : public dtensor::impl::ExplainBase<ExplainPass> {
  void runOnOperation() override {
    for (const FunctionReport &report : explain(getOperation()))
      for (const Movement &movement : report.movements)
        ::emitRemark(movement, report.facts);
    markAllAnalysesPreserved();
  }
};
} // namespace
