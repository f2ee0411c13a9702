//===- Bucket.cpp - small reductions that travel together -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reduction may run anywhere between its operand and its first user. Those
// of one group, kind and element type whose stretches have a common point are
// independent and may be one. Taking the stretches by their ends, and into each
// bucket all that have begun where the first one ends, gives the fewest.
//
//===----------------------------------------------------------------------===//

#include "BlockOrder.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"
#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"

#define DEBUG_TYPE "dtensor-bucket"

namespace dtensor {
#define GEN_PASS_DEF_BUCKET
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

/// A redistribution that is one all-reduce.
struct Reduction {
  RedistributeOp op;
  /// The ops of the block behind which it may run, and before which it must.
  unsigned begin, end;
  /// What packing and unpacking takes.
  double copies;
};

/// Those that could be one: equal axes, kind and element type.
struct Key {
  ArrayRef<unsigned> axes;
  ReduceKind kind;
  Type element;

  bool operator==(const Key &other) const {
    return axes == other.axes && kind == other.kind && element == other.element;
  }
};

/// The buckets of one block.
class BlockBuckets : BlockOrder {
public:
  BlockBuckets(Block &block, const Facts &facts, double limit, int64_t &next)
      : BlockOrder(block), facts(facts), limit(limit), next(next) {}

  void run();

private:
  void collect(RedistributeOp op);
  unsigned beginOf(RedistributeOp op);
  std::optional<unsigned> endOf(RedistributeOp op);
  void form(const Key &key, SmallVector<Reduction> reductions);
  void close(const Key &key, ArrayRef<Reduction> bucket);
  double startOf(const Key &key, RedistributeOp op);

  const Facts &facts;
  const double limit;
  int64_t &next;
  const CostModel model;
  SmallVector<std::pair<Key, SmallVector<Reduction>>> groups;
};

} // namespace

/// What starting the collective costs, whatever it moves.
double BlockBuckets::startOf(const Key &key, RedistributeOp op) {
  const Mesh &mesh = getLayout(op.getInput()).getMesh().getMesh();
  int64_t ranks = 1;
  for (unsigned axis : key.axes)
    ranks *= mesh.hint(axis);
  return model.stepTime(StepKind::AllReduce, 0, ranks);
}

/// One that reads another redistribution stays behind it, wherever that goes.
unsigned BlockBuckets::beginOf(RedistributeOp op) {
  Operation *producer = op.getInput().getDefiningOp();
  if (!producer || !positions.contains(producer))
    return 0;
  return positions[isa<RedistributeOp>(producer) ? op : producer] + 1;
}

std::optional<unsigned> BlockBuckets::endOf(RedistributeOp op) {
  std::optional<unsigned> end;
  for (Operation *user : op->getUsers()) {
    Operation *here = op->getBlock()->findAncestorOpInBlock(*user);
    end = std::min(end.value_or(ops.size()), positions[here]);
  }
  return end;
}

void BlockBuckets::collect(RedistributeOp op) {
  ArrayRef<Step> steps = op.getPlan()->getSteps();
  std::optional<unsigned> end = endOf(op);
  if (steps.size() != 1 || steps[0].kind != StepKind::AllReduce || !end)
    return;
  double bytes = getHintedBytes(op.getType(), facts);
  double copies = 2 * (model.launchLatency + 2 * bytes / model.memoryBandwidth);
  Key key{steps[0].axes, steps[0].reduce, op.getType().getElementType()};
  if (bytes > limit || copies >= startOf(key, op))
    return;
  auto *group =
      llvm::find_if(groups, [&](auto &group) { return group.first == key; });
  if (group == groups.end())
    group = &groups.emplace_back(key, SmallVector<Reduction>());
  group->second.push_back({op, beginOf(op), *end, copies});
}

/// One bucket: all right before the user that the first of them has.
void BlockBuckets::close(const Key &key, ArrayRef<Reduction> bucket) {
  double copies = 0;
  for (const Reduction &reduction : bucket)
    copies += reduction.copies;
  RedistributeOp first = bucket.front().op;
  if (copies >= (bucket.size() - 1) * startOf(key, first))
    return;
  Operation *user = ops[bucket.front().end];
  auto number =
      IntegerAttr::get(IntegerType::get(user->getContext(), 64), next++);
  for (const Reduction &reduction : bucket) {
    reduction.op->moveBefore(user);
    reduction.op->setAttr(DTensorDialect::kBucketAttr, number);
  }
}

void BlockBuckets::form(const Key &key, SmallVector<Reduction> reductions) {
  llvm::sort(reductions, [&](const Reduction &a, const Reduction &b) {
    return std::pair(a.end, positions[a.op]) <
           std::pair(b.end, positions[b.op]);
  });
  while (!reductions.empty()) {
    SmallVector<Reduction> bucket, others;
    unsigned point = reductions.front().end;
    for (const Reduction &reduction : reductions)
      (reduction.begin <= point ? bucket : others).push_back(reduction);
    close(key, bucket);
    reductions = std::move(others);
  }
}

void BlockBuckets::run() {
  for (Operation *op : ops)
    if (auto move = dyn_cast<RedistributeOp>(op); move && move.getPlan())
      collect(move);
  for (auto &[key, reductions] : groups)
    form(key, std::move(reductions));
}

namespace {
struct BucketPass : public dtensor::impl::BucketBase<BucketPass> {
  using BucketBase::BucketBase;

  void runOnOperation() override {
    if (!getMesh(getOperation()))
      return;
    Facts facts = getFacts(getOperation());
    int64_t next = 0;
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      BlockBuckets(*block, facts, static_cast<double>(limit), next).run();
  }
};
} // namespace
