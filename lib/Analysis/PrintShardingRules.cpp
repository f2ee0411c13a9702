//===- PrintShardingRules.cpp - rules in words ----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A factor is named by its kind and number: p0 parallel, sum1 a reduction by
// sum, w2 whole (need-replication).
//
//===----------------------------------------------------------------------===//

#include "dtensor/Analysis/Passes.h"

#include "dtensor/Interfaces/Interfaces.h"
#include "llvm/Support/raw_ostream.h"

namespace dtensor {
#define GEN_PASS_DEF_PRINTSHARDINGRULES
#include "dtensor/Analysis/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

static std::string factorName(const ShardingRule &rule, unsigned number) {
  const Factor &factor = rule.factors[number];
  StringRef prefix = "p";
  if (factor.kind == FactorKind::Reduction)
    prefix = stringify(factor.reduce);
  else if (factor.kind == FactorKind::NeedReplication)
    prefix = "w";
  return (prefix + Twine(number)).str();
}

static void printMap(raw_ostream &os, const ShardingRule &rule,
                     const TensorMap &map) {
  os << '[';
  llvm::interleaveComma(map, os, [&](ArrayRef<unsigned> factors) {
    if (factors.empty())
      os << '1';
    llvm::interleave(
        factors, os, [&](unsigned factor) { os << factorName(rule, factor); },
        "*");
  });
  os << ']';
}

static void printMaps(raw_ostream &os, const ShardingRule &rule,
                      ArrayRef<TensorMap> maps) {
  os << '(';
  llvm::interleaveComma(maps, os,
                        [&](const TensorMap &map) { printMap(os, rule, map); });
  os << ')';
}

static void printKinds(raw_ostream &os,
                       ArrayRef<std::optional<ReduceKind>> kinds) {
  os << '(';
  llvm::interleaveComma(kinds, os, [&](std::optional<ReduceKind> kind) {
    os << (kind ? stringify(*kind) : "-");
  });
  os << ')';
}

static std::string printRule(const ShardingRule &rule) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(
      llvm::seq<unsigned>(0, rule.factors.size()), os, [&](unsigned factor) {
        os << factorName(rule, factor) << " = " << rule.factors[factor].size;
      });
  os << " : ";
  printMaps(os, rule, rule.operands);
  os << " -> ";
  printMaps(os, rule, rule.results);
  for (const PartialSignature &partial : rule.partials) {
    os << ", partial ";
    printKinds(os, partial.operands);
    os << " -> ";
    printKinds(os, partial.results);
  }
  return text;
}

namespace {
struct PrintShardingRules
    : public dtensor::impl::PrintShardingRulesBase<PrintShardingRules> {
  void runOnOperation() override {
    auto result = getOperation()->walk([](ShardingRuleOpInterface op) {
      FailureOr<ShardingRule> rule = op.getShardingRule();
      if (failed(rule))
        return WalkResult::interrupt();
      auto emitError = [&](const Twine &text) {
        op.emitOpError("has a wrong rule: ") << text;
      };
      if (!rule->verify(emitError))
        return WalkResult::interrupt();
      op.emitRemark() << printRule(*rule);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
