//===- ShardingRuleSemanticsTest.cpp - Strategies compute the operation ---===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a strategy promises, by brute force: an operation run by every rank on
// the pieces that its operands' placements name gives the pieces, or the
// summands, that its result's placement names.
//
//===----------------------------------------------------------------------===//

#include "PlanSimulator.h"
#include "dtensor/Sharding/ShardingRule.h"
#include "gtest/gtest.h"

#include <functional>

using namespace dtensor;
using namespace dtensor::test;

namespace {

using Body = std::function<int64_t(const Numbers &)>;

int64_t productOf(const Numbers &values) {
  int64_t product = 1;
  for (int64_t value : values)
    product *= value;
  return product;
}

/// Row-major position of the loop indices in a tensor.
int64_t position(const TensorMap &map, const Numbers &trips,
                 const Numbers &index) {
  int64_t linear = 0;
  for (const auto &factors : map)
    for (unsigned factor : factors)
      linear = linear * trips[factor] + index[factor];
  return linear;
}

Numbers shapeOf(const TensorMap &map, const Numbers &trips) {
  Numbers shape;
  for (const auto &factors : map) {
    int64_t extent = 1;
    for (unsigned factor : factors)
      extent *= trips[factor];
    shape.push_back(extent);
  }
  return shape;
}

Array filled(Numbers shape, int64_t value) {
  return {shape, Numbers(productOf(shape), value)};
}

/// An operation with one result, on plain arrays.
struct Operation {
  ShardingRule rule;
  Body body;

  ReduceKind reduction() const {
    for (const Factor &factor : rule.factors)
      if (factor.kind == FactorKind::Reduction)
        return factor.reduce;
    return ReduceKind::Sum;
  }
  Array run(const std::vector<Array> &operands, const Numbers &trips) const {
    bool isMax = reduction() == ReduceKind::Max;
    Array result = filled(shapeOf(rule.results[0], trips),
                          isMax ? std::numeric_limits<int64_t>::min() : 0);
    for (const Numbers &index : allCoordinates(trips)) {
      Numbers values;
      for (size_t i = 0; i < operands.size(); ++i)
        values.push_back(
            operands[i].data.at(position(rule.operands[i], trips, index)));
      int64_t &to = result.data.at(position(rule.results[0], trips, index));
      to = isMax ? std::max(to, body(values)) : to + body(values);
    }
    return result;
  }
};

Array inputFor(const Operation &operation, unsigned operand,
               const Numbers &trips) {
  Array input = filled(shapeOf(operation.rule.operands[operand], trips), 0);
  for (size_t i = 0; i < input.data.size(); ++i)
    input.data[i] = static_cast<int64_t>((i * 37 + operand * 11) % 23) - 9;
  return input;
}

/// What `rank` holds of `array` under `placement`; units by `unitOf`.
Array heldBy(const Array &array, const Placement &placement, int64_t unit,
             int64_t ranks, int64_t rank) {
  if (placement.isShard()) {
    Piece piece = countedPiece(array.shape[placement.dim], unit, ranks, rank);
    return slice(array, placement.dim, piece.offset, piece.size);
  }
  if (!placement.isPartial())
    return array;
  // Rank r > 0 holds r, or one less; rank 0 the rest, or the value itself.
  Array summand = array;
  for (int64_t &value : summand.data) {
    if (placement.reduce == ReduceKind::Max)
      value -= rank;
    else
      value = rank ? rank : value - ranks * (ranks - 1) / 2;
  }
  return summand;
}

class ShardingRuleSemanticsTest : public testing::Test {
protected:
  Factor factor(FactorKind kind, llvm::StringRef name,
                ReduceKind reduce = ReduceKind::Sum) {
    return {kind, Expr::symbol(context, name), reduce};
  }
  /// Checks all strategies, with factor units of 1 and 2, for these trip
  /// counts on `ranks` ranks.
  void check(const Operation &operation, const Numbers &trips, int64_t ranks);
  void checkStrategy(const Operation &operation, const Strategy &strategy,
                     const Numbers &trips, int64_t ranks);
  int64_t unitOf(const Operation &operation, const Placement &placement,
                 const Numbers &trips) {
    if (!placement.unit)
      return 1;
    auto value = placement.unit.evaluate(
        [&](llvm::StringRef name, SymbolKind) -> std::optional<int64_t> {
          for (size_t i = 0; i < trips.size(); ++i)
            if (operation.rule.factors[i].size.str() == name)
              return trips[i];
          return std::nullopt;
        });
    return std::max<int64_t>(1, value.value_or(1));
  }

  ExprContext context;
};

void ShardingRuleSemanticsTest::checkStrategy(const Operation &operation,
                                              const Strategy &strategy,
                                              const Numbers &trips,
                                              int64_t ranks) {
  const ShardingRule &rule = operation.rule;
  std::vector<Array> inputs;
  for (unsigned i = 0; i < rule.operands.size(); ++i)
    inputs.push_back(inputFor(operation, i, trips));
  Array expected = operation.run(inputs, trips);
  const Placement &out = strategy.results[0];
  std::vector<Array> locals;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    Numbers localTrips = trips;
    std::vector<Array> pieces;
    for (unsigned i = 0; i < inputs.size(); ++i) {
      const Placement &placement = strategy.operands[i];
      int64_t unit = unitOf(operation, placement, trips);
      pieces.push_back(heldBy(inputs[i], placement, unit, ranks, rank));
      if (!placement.isShard())
        continue;
      // Of all factors of the dimension only the sharded one is cut.
      int64_t whole = inputs[i].shape[placement.dim];
      if (whole != 0)
        localTrips[strategy.factor] =
            trips[strategy.factor] * pieces.back().shape[placement.dim] / whole;
    }
    locals.push_back(operation.run(pieces, localTrips));
    if (!out.isPartial()) {
      ASSERT_EQ(
          locals.back(),
          heldBy(expected, out, unitOf(operation, out, trips), ranks, rank));
    }
  }
  if (out.isPartial()) {
    ASSERT_EQ(reduce(locals, out.reduce), expected);
  }
}

void ShardingRuleSemanticsTest::check(const Operation &operation,
                                      const Numbers &trips, int64_t ranks) {
  Errors errors;
  auto sink = errors.sink();
  ASSERT_TRUE(operation.rule.verify(sink)) << errors.text;
  llvm::SmallVector<llvm::SmallVector<Expr>> units(
      trips.size(), {Expr::constant(context, 2)});
  for (const Strategy &strategy : strategies(operation.rule, units)) {
    std::string why;
    ASSERT_TRUE(
        accepts(operation.rule, strategy.operands, strategy.results, &why))
        << why;
    SCOPED_TRACE("factor " + std::to_string(strategy.factor));
    ASSERT_NO_FATAL_FAILURE(checkStrategy(operation, strategy, trips, ranks));
  }
}

TEST_F(ShardingRuleSemanticsTest, EveryStrategyOfMatmulComputesMatmul) {
  Operation matmul;
  matmul.body = productOf;
  matmul.rule.factors = {factor(FactorKind::Parallel, "M"),
                         factor(FactorKind::Reduction, "K"),
                         factor(FactorKind::Parallel, "N")};
  matmul.rule.operands = {{{0}, {1}}, {{1}, {2}}};
  matmul.rule.results = {{{0}, {2}}};
  matmul.rule.partials = {{{ReduceKind::Sum, std::nullopt}, {ReduceKind::Sum}},
                          {{std::nullopt, ReduceKind::Sum}, {ReduceKind::Sum}}};
  for (int64_t ranks : {1, 2, 3, 4})
    for (Numbers trips : {Numbers{5, 7, 3}, {1, 2, 9}, {0, 4, 4}, {4, 0, 4}})
      ASSERT_NO_FATAL_FAILURE(check(matmul, trips, ranks));
}

TEST_F(ShardingRuleSemanticsTest, EveryStrategyOfAFlatteningViewIsTheView) {
  Operation flatten;
  flatten.body = productOf;
  flatten.rule.factors = {factor(FactorKind::Parallel, "H"),
                          factor(FactorKind::Parallel, "D")};
  flatten.rule.operands = {{{0}, {1}}};
  flatten.rule.results = {{{0, 1}}};
  flatten.rule.partials = {{{ReduceKind::Sum}, {ReduceKind::Sum}},
                           {{ReduceKind::Max}, {ReduceKind::Max}}};
  for (int64_t ranks : {1, 2, 3, 4})
    for (Numbers trips : {Numbers{4, 8}, {8, 3}, {3, 1}, {0, 5}, {5, 0}})
      ASSERT_NO_FATAL_FAILURE(check(flatten, trips, ranks));
}

TEST_F(ShardingRuleSemanticsTest, EveryStrategyOfAMaximumComputesTheMaximum) {
  Operation maximum;
  maximum.body = productOf;
  maximum.rule.factors = {factor(FactorKind::Parallel, "B"),
                          factor(FactorKind::Reduction, "S", ReduceKind::Max)};
  maximum.rule.operands = {{{0}, {1}}};
  maximum.rule.results = {{{0}, {}}};
  maximum.rule.partials = {{{ReduceKind::Max}, {ReduceKind::Max}}};
  for (int64_t ranks : {1, 2, 3, 4})
    for (Numbers trips : {Numbers{3, 5}, {1, 2}, {2, 1}})
      ASSERT_NO_FATAL_FAILURE(check(maximum, trips, ranks));
}

TEST_F(ShardingRuleSemanticsTest, AddingIsLinearInBothOperandsTogether) {
  Operation add;
  add.body = [](const Numbers &values) { return values[0] + values[1]; };
  add.rule.factors = {factor(FactorKind::Parallel, "B"),
                      factor(FactorKind::Parallel, "S")};
  // The second operand is broadcast along the first dimension.
  add.rule.operands = {{{0}, {1}}, {{1}}};
  add.rule.results = {{{0}, {1}}};
  add.rule.partials = {{{ReduceKind::Sum, ReduceKind::Sum}, {ReduceKind::Sum}}};
  for (int64_t ranks : {1, 2, 3, 4})
    for (Numbers trips : {Numbers{3, 5}, {5, 2}, {0, 3}})
      ASSERT_NO_FATAL_FAILURE(check(add, trips, ranks));
}

} // namespace
