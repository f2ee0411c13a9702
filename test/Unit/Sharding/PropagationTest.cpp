//===- PropagationTest.cpp - placements of least cost ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Propagation.h"
#include "gtest/gtest.h"
#include <random>

using namespace dtensor;
using llvm::SmallVector;

namespace {

/// A problem on the 1-D mesh "tp" of unknown size, hint 4.
class PropagationTest : public testing::Test {
protected:
  PropagationTest() {
    MeshAxis axis;
    axis.name = "tp";
    axis.facts.hint = 4;
    problem.mesh = Mesh({axis});
    problem.context = &context;
    problem.mesh.declareAxes(problem.facts);
  }

  Expr constant(int64_t value) { return Expr::constant(context, value); }

  unsigned value(llvm::ArrayRef<int64_t> shape) {
    SmallVector<Expr> extents;
    for (int64_t size : shape)
      extents.push_back(constant(size));
    return problem.addValue(extents, 4);
  }

  unsigned fixedValue(llvm::ArrayRef<int64_t> shape, Placement placement) {
    unsigned id = value(shape);
    problem.values[id].fixed[0] = placement;
    problem.values[id].mayBePartial = placement.isPartial();
    return id;
  }

  unsigned add(PropagationNode node) {
    problem.nodes.push_back(std::move(node));
    problem.forward.push_back(problem.nodes.size() - 1);
    problem.backward.insert(problem.backward.begin(), problem.nodes.size() - 1);
    return problem.nodes.size() - 1;
  }

  /// c[m, n] = a[m, k] * b[k, n].
  unsigned matmul(unsigned a, unsigned b, unsigned c) {
    Expr m = problem.values[a].extents[0], k = problem.values[a].extents[1];
    Expr n = problem.values[b].extents[1];
    PropagationNode node;
    node.rule.factors = {{FactorKind::Parallel, m},
                         {FactorKind::Parallel, n},
                         {FactorKind::Reduction, k}};
    node.rule.operands = {TensorMap{{0u}, {2u}}, TensorMap{{2u}, {1u}}};
    node.rule.results = {TensorMap{{0u}, {1u}}};
    for (bool first : {true, false}) {
      PartialSignature signature;
      signature.operands = {std::nullopt, std::nullopt};
      signature.operands[first ? 0 : 1] = ReduceKind::Sum;
      signature.results = {ReduceKind::Sum};
      node.rule.partials.push_back(signature);
    }
    node.operands = {int(a), int(b)};
    node.results = {int(c)};
    return add(node);
  }

  /// ids[64, 64] into table[1000000, 256]; ids and rows are replicated.
  unsigned lookUp(Placement table) {
    unsigned ids = fixedValue({64, 64}, Placement::replicate());
    unsigned from = fixedValue({1000000, 256}, table);
    unsigned rows = fixedValue({64, 64, 256}, Placement::replicate());
    PropagationNode node;
    node.rule.factors = {{FactorKind::Parallel, constant(64)},
                         {FactorKind::Parallel, constant(64)},
                         {FactorKind::Reduction, constant(1000000)},
                         {FactorKind::Parallel, constant(256)}};
    node.rule.operands = {TensorMap{{0u}, {1u}}, TensorMap{{2u}, {3u}}};
    node.rule.results = {TensorMap{{0u}, {1u}, {3u}}};
    node.rule.lookedUp = {1};
    node.operands = {int(ids), int(from)};
    node.results = {int(rows)};
    return add(node);
  }

  /// Pointwise over 2-D tensors of one shape; `linear` passes sums on.
  unsigned pointwise(llvm::ArrayRef<int> inputs, unsigned result, bool linear) {
    PropagationNode node;
    node.rule.factors = {
        {FactorKind::Parallel, problem.values[result].extents[0]},
        {FactorKind::Parallel, problem.values[result].extents[1]}};
    node.rule.operands.assign(inputs.size(), TensorMap{{0u}, {1u}});
    node.rule.results = {TensorMap{{0u}, {1u}}};
    if (linear) {
      PartialSignature signature;
      signature.operands.assign(inputs.size(), ReduceKind::Sum);
      signature.results = {ReduceKind::Sum};
      node.rule.partials.push_back(signature);
    }
    node.operands.assign(inputs.begin(), inputs.end());
    node.results = {int(result)};
    return add(node);
  }

  /// The value that `from` is where it has this placement.
  unsigned pin(unsigned from, Placement placement, unsigned priority) {
    unsigned to = problem.addValue(problem.values[from].extents, 4);
    problem.values[to].fixed[0] = placement;
    PropagationNode node;
    node.kind = PropagationNode::Pin;
    node.operands = {int(from)};
    node.results = {int(to)};
    node.pinned = {placement};
    node.priority = priority;
    add(node);
    return to;
  }

  void clear() {
    problem.values.clear();
    problem.nodes.clear();
    problem.forward.clear();
    problem.backward.clear();
  }

  /// Some pointwise nodes, each perhaps with a dimension that is whole, from
  /// `first` on; all that they make.
  SmallVector<unsigned> randomChain(std::mt19937 &random, unsigned first) {
    SmallVector<unsigned> made;
    for (int i = 0; i < 5; ++i) {
      unsigned from = made.empty() ? first : made.back();
      made.push_back(value({1024, 1024}));
      unsigned node = pointwise({int(from)}, made.back(), false);
      if (unsigned whole = random() % 6; whole < 2)
        problem.nodes[node].rule.factors[whole].kind =
            FactorKind::NeedReplication;
    }
    return made;
  }

  ExprContext context;
  PropagationProblem problem;
};

TEST_F(PropagationTest, MegatronPairNeedsOneReduction) {
  unsigned x = fixedValue({512, 1024}, Placement::replicate());
  unsigned w1 = fixedValue({1024, 4096}, Placement::shard(1));
  unsigned w2 = fixedValue({4096, 1024}, Placement::shard(0));
  unsigned h = value({512, 4096}), t = value({512, 4096});
  unsigned y = fixedValue({512, 1024}, Placement::replicate());
  matmul(x, w1, h);
  pointwise({int(h)}, t, /*linear=*/false);
  unsigned last = matmul(t, w2, y);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[h][0].isShard(1));
  EXPECT_TRUE(solution.values[t][0].isShard(1));
  EXPECT_TRUE(solution.results[last][0][0].isPartial());
}

TEST_F(PropagationTest, PartialsAreAddedBeforeTheyAreReduced) {
  unsigned a = fixedValue({512, 512}, Placement::shard(1));
  unsigned b = fixedValue({512, 512}, Placement::shard(0));
  unsigned p = value({512, 512}), q = value({512, 512});
  unsigned sum = fixedValue({512, 512}, Placement::replicate());
  matmul(a, b, p);
  matmul(a, b, q);
  unsigned add = pointwise({int(p), int(q)}, sum, /*linear=*/true);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[p][0].isPartial());
  EXPECT_TRUE(solution.values[q][0].isPartial());
  EXPECT_TRUE(solution.results[add][0][0].isPartial());
}

TEST_F(PropagationTest, AnUnannotatedWeightTakesWhatItsUserWants) {
  unsigned x = fixedValue({512, 1024}, Placement::shard(1));
  unsigned w = value({1024, 256});
  unsigned y = value({512, 256});
  matmul(x, w, y);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[w][0].isShard(0));
}

TEST_F(PropagationTest, NothingStatedStaysReplicated) {
  unsigned x = fixedValue({64, 64}, Placement::replicate());
  unsigned y = fixedValue({64, 64}, Placement::replicate());
  unsigned h = value({64, 64});
  pointwise({int(x)}, h, false);
  pointwise({int(h)}, y, false);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[h][0].isReplicate());
}

TEST_F(PropagationTest, AUnitTravelsToTheProducer) {
  // x[64, 512] split into heads [64, 8, 64]: sharding the heads keeps units of
  // 64 together in x already.
  unsigned x = value({64, 512});
  unsigned h = fixedValue({64, 8, 64}, Placement::shard(1));
  PropagationNode split;
  split.rule.factors = {{FactorKind::Parallel, constant(64)},
                        {FactorKind::Parallel, constant(8)},
                        {FactorKind::Parallel, constant(64)}};
  split.rule.operands = {TensorMap{{0u}, {1u, 2u}}};
  split.rule.results = {TensorMap{{0u}, {1u}, {2u}}};
  split.operands = {int(x)};
  split.results = {int(h)};
  add(split);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_EQ(solution.values[x][0], Placement::shard(1, constant(64)));
}

TEST_F(PropagationTest, WorkIsDoneBeforeAGatherNotAfter) {
  // x, sharded by rows, feeds a pointwise chain and a later sum; two matmuls
  // want the end of the chain whole. The chain runs on the shards.
  unsigned x = value({2048, 64}), p = value({2048, 64}), q = value({2048, 64});
  unsigned x0 = fixedValue({2048, 64}, Placement::shard(0));
  pointwise({int(x0)}, x, false);
  unsigned first = pointwise({int(x)}, p, false);
  unsigned second = pointwise({int(x), int(p)}, q, false);
  unsigned w = fixedValue({64, 128}, Placement::shard(1));
  unsigned h = value({2048, 128}), g = value({2048, 128});
  matmul(q, w, h);
  matmul(q, w, g);
  unsigned hg = fixedValue({2048, 128}, Placement::shard(1));
  pointwise({int(h), int(g)}, hg, false);
  unsigned end = fixedValue({2048, 64}, Placement::shard(0));
  pointwise({int(x)}, end, false);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.operands[first][0][0].isShard(0));
  EXPECT_TRUE(solution.operands[second][0][0].isShard(0));
  EXPECT_TRUE(solution.values[q][0].isShard(0));
}

TEST_F(PropagationTest, AStatedUnitIsKeptByOpenResults) {
  Placement heads = Placement::shard(1, constant(2));
  unsigned x = fixedValue({128, 128}, heads);
  unsigned y = value({128, 128}), result = value({128, 128});
  pointwise({int(x)}, y, false);
  PropagationNode pin;
  pin.kind = PropagationNode::Pin;
  pin.operands = {int(y)};
  pin.results = {int(result)};
  pin.pinned.assign(1, Placement::open());
  add(pin);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_EQ(solution.values[y][0], heads);
  EXPECT_EQ(solution.values[result][0], heads);
}

TEST_F(PropagationTest, AnOpenTermJoinsASumBeforeItIsReduced) {
  // (a*b + c) with c open: c becomes partial for nothing, so one reduction is
  // enough.
  unsigned a = fixedValue({512, 512}, Placement::shard(1));
  unsigned b = fixedValue({512, 512}, Placement::shard(0));
  unsigned c = value({512, 512}), p = value({512, 512}), q = value({512, 512});
  unsigned s = value({512, 512}), t = value({512, 512});
  unsigned sum = fixedValue({512, 512}, Placement::replicate());
  matmul(a, b, p);
  pointwise({int(c), int(p)}, s, /*linear=*/true);
  matmul(a, b, q);
  pointwise({int(c), int(q)}, t, /*linear=*/true);
  unsigned last = pointwise({int(s), int(t)}, sum, /*linear=*/true);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[c][0].isReplicate());
  EXPECT_TRUE(solution.results[last][0][0].isPartial());
}

TEST_F(PropagationTest, ALookupIsNotPaidByTheSizeOfItsTable) {
  unsigned lookup = lookUp(Placement::replicate());
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.operands[lookup][1][0].isReplicate());
}

TEST_F(PropagationTest, AShardedTableIsLookedUpInPlace) {
  unsigned lookup = lookUp(Placement::shard(0));
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.operands[lookup][1][0].isShard(0));
  EXPECT_TRUE(solution.results[lookup][0][0].isPartial());
}

//===----------------------------------------------------------------------===//
// Exactness on chains
//===----------------------------------------------------------------------===//

/// What one node of a chain may do: placements in and out, and its time.
struct Choice {
  Placement in, out;
  double time;
};

/// The least cost over every assignment of choices, from the definition.
double bruteForce(const std::vector<std::vector<Choice>> &chain, size_t node,
                  Placement have, Placement goal, double bytes) {
  if (node == chain.size())
    return redistributionTime(have, goal, bytes, 4);
  double best = 1e30;
  for (const Choice &choice : chain[node])
    best = std::min(
        best, redistributionTime(have, choice.in, bytes, 4) + choice.time +
                  bruteForce(chain, node + 1, choice.out, goal, bytes));
  return best;
}

TEST_F(PropagationTest, IsExactOnChains) {
  std::mt19937 random(7);
  const double bytes = 4096.0 * 4096 * 4;
  const CostModel model;
  for (int trial = 0; trial < 100; ++trial) {
    clear();
    Placement start = Placement::shard(random() % 2);
    Placement goal =
        random() % 3 ? Placement::shard(random() % 2) : Placement::replicate();
    unsigned current = fixedValue({4096, 4096}, start);
    std::vector<std::vector<Choice>> chain;
    for (int i = 0; i < 4; ++i) {
      unsigned next = value({4096, 4096});
      unsigned node = pointwise({int(current)}, next, false);
      // Some nodes want one dimension whole, as a softmax does.
      unsigned whole = random() % 3;
      double all = 2 * bytes / model.memoryBandwidth;
      chain.push_back({{Placement::replicate(), Placement::replicate(), all}});
      for (unsigned dim : {0u, 1u})
        if (dim != whole)
          chain.back().push_back(
              {Placement::shard(dim), Placement::shard(dim), all / 4});
      if (whole < 2)
        problem.nodes[node].rule.factors[whole].kind =
            FactorKind::NeedReplication;
      current = next;
    }
    problem.values[current].fixed[0] = goal;
    PropagationSolution solution = solvePropagation(problem, model);
    double cost = 0;
    Placement have = start;
    for (unsigned n = 0; n < problem.nodes.size(); ++n) {
      Placement in = solution.operands[n][0][0];
      cost += redistributionTime(have, in, bytes, 4) +
              2 * bytes / model.memoryBandwidth / (in.isShard() ? 4 : 1);
      have = solution.results[n][0][0];
    }
    cost += redistributionTime(have, goal, bytes, 4);
    EXPECT_NEAR(cost, bruteForce(chain, 0, start, goal, bytes), 1e-6 * cost);
  }
}

//===----------------------------------------------------------------------===//
// Graphs with shared values
//===----------------------------------------------------------------------===//

/// The cost of pointwise nodes over values of `bytes`, from the definition:
/// node times, and one redistribution for each placement wanted of a value.
double costOf(const PropagationProblem &problem,
              const std::vector<Placement> &chosen, double bytes) {
  const CostModel model;
  std::vector<Placement> have(problem.values.size());
  double cost = 0;
  for (auto [value, placement] : llvm::zip(problem.values, have))
    placement = value.fixed[0];
  for (auto [node, placement] : llvm::zip(problem.nodes, chosen)) {
    unsigned result = node.results[0];
    if (have[result].isOpen())
      have[result] = placement;
    cost += redistributionTime(placement, have[result], bytes, 4);
    cost += (node.operands.size() + 1) * bytes / model.memoryBandwidth /
            (placement.isShard() ? 4 : 1);
  }
  for (unsigned v = 0; v < have.size(); ++v) {
    SmallVector<Placement> paid;
    for (auto [node, placement] : llvm::zip(problem.nodes, chosen)) {
      if (!llvm::is_contained(node.operands, int(v)) ||
          llvm::is_contained(paid, placement))
        continue;
      paid.push_back(placement);
      cost += redistributionTime(have[v], placement, bytes, 4);
    }
  }
  return cost;
}

TEST_F(PropagationTest, NoNodeAloneWouldDoBetter) {
  std::mt19937 random(11);
  const double bytes = 1024.0 * 1024 * 4;
  for (int trial = 0; trial < 200; ++trial) {
    clear();
    for (int i = 0; i < 2; ++i)
      fixedValue({1024, 1024}, Placement::shard(random() % 2));
    for (int i = 0; i < 7; ++i) {
      int a = random() % problem.values.size();
      int b = random() % problem.values.size();
      unsigned node = pointwise({a, b}, value({1024, 1024}), false);
      if (unsigned whole = random() % 3; whole < 2)
        problem.nodes[node].rule.factors[whole].kind =
            FactorKind::NeedReplication;
    }
    problem.values.back().fixed[0] = Placement::replicate();
    PropagationSolution solution = solvePropagation(problem);
    std::vector<Placement> chosen;
    for (auto &results : solution.results)
      chosen.push_back(results[0][0]);
    double cost = costOf(problem, chosen, bytes);
    for (unsigned n = 0; n < chosen.size(); ++n) {
      std::vector<Placement> other = chosen;
      for (Placement placement :
           {Placement::replicate(), Placement::shard(0), Placement::shard(1)}) {
        other[n] = placement;
        const ShardingRule &rule = problem.nodes[n].rule;
        if (placement.isShard() &&
            rule.factors[placement.dim].kind == FactorKind::NeedReplication)
          continue;
        EXPECT_GE(costOf(problem, other, bytes), cost * (1 - 1e-9))
            << "trial " << trial << ", node " << n;
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Priorities, values that agree
//===----------------------------------------------------------------------===//

TEST_F(PropagationTest, TheLowerNumberDecidesBetweenTwoPins) {
  for (bool firstWins : {true, false}) {
    clear();
    unsigned x = pin(value({1024, 1024}), Placement::shard(0), !firstWins);
    SmallVector<unsigned> between;
    for (int i = 0; i < 4; ++i) {
      between.push_back(value({1024, 1024}));
      pointwise({int(i ? between[i - 1] : x)}, between[i], false);
    }
    unsigned y = pin(between.back(), Placement::shard(1), firstWins);
    PropagationSolution solution = solvePropagation(problem);
    for (unsigned v : between)
      EXPECT_TRUE(solution.values[v][0].isShard(firstWins ? 0 : 1));
    EXPECT_TRUE(solution.values[x][0].isShard(0));
    EXPECT_TRUE(solution.values[y][0].isShard(1));
  }
}

TEST_F(PropagationTest, WhatTypesStateDecidesFirst) {
  unsigned x = fixedValue({1024, 1024}, Placement::shard(0));
  unsigned t = value({1024, 1024}), y = value({1024, 1024});
  pointwise({int(x)}, t, false);
  pointwise({int(t)}, y, false);
  pin(y, Placement::shard(1), 7);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[t][0].isShard(0));
  EXPECT_TRUE(solution.values[y][0].isShard(0));
}

TEST_F(PropagationTest, APinThatYieldsHoldsForItsValue) {
  unsigned x = value({1024, 1024});
  unsigned c = pin(x, Placement::shard(0), 1);
  unsigned end = pin(c, Placement::shard(1), 0);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_TRUE(solution.values[c][0].isShard(0));
  EXPECT_TRUE(solution.values[end][0].isShard(1));
}

TEST_F(PropagationTest, WhatALowerNumberReachesIsAsIfItWereAlone) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    clear();
    unsigned x = pin(value({1024, 1024}), Placement::shard(random() % 2), 0);
    unsigned first = problem.nodes.size();
    SmallVector<unsigned> chain = randomChain(random, x);
    PropagationSolution alone = solvePropagation(problem);
    pin(chain.back(), Placement::shard(random() % 2), 1 + random() % 3);
    PropagationSolution both = solvePropagation(problem);
    Placement have = alone.values[x][0];
    for (auto [i, v] : llvm::enumerate(chain)) {
      if (alone.operands[first + i][0][0] != have || alone.values[v][0] != have)
        break;
      EXPECT_EQ(both.values[v][0], have) << "trial " << trial;
    }
  }
}

TEST_F(PropagationTest, OnlyTheOrderOfPrioritiesCounts) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 100; ++trial) {
    clear();
    unsigned current = value({1024, 1024});
    for (int i = 0; i < 3; ++i)
      current = randomChain(random, pin(current, Placement::shard(random() % 2),
                                        random() % 3))
                    .back();
    PropagationSolution small = solvePropagation(problem);
    for (PropagationNode &node : problem.nodes)
      node.priority *= 10;
    PropagationSolution large = solvePropagation(problem);
    EXPECT_TRUE(small.values == large.values);
    EXPECT_TRUE(small.operands == large.operands);
  }
}

TEST_F(PropagationTest, ValuesThatAgreeHaveOnePlacement) {
  // Alone m would go with the sum of its rows; w is cut along the columns.
  unsigned w = fixedValue({1024, 1024}, Placement::shard(1));
  unsigned m = value({1024, 1024}), end = value({1024, 1024});
  unsigned w1 = value({1024, 1024}), m1 = value({1024, 1024});
  PropagationNode join;
  join.kind = PropagationNode::Join;
  join.operands = {int(w), int(m)};
  join.results = {int(w1), int(m1)};
  add(join);
  pointwise({int(m1)}, end, false);
  pin(end, Placement::shard(0), 0);
  PropagationSolution solution = solvePropagation(problem);
  EXPECT_EQ(solution.values[w1][0], solution.values[m1][0]);
  EXPECT_EQ(solution.values[m][0], solution.values[m1][0]);
}

} // namespace
