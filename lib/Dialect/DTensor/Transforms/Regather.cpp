//===- Regather.cpp - gather again instead of keeping ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is gathered for several users is kept from the first to the last. The
// values held are looked at as a cache of a given size: where one more is
// gathered and does not fit, the one whose next user is farthest away is given
// up, and gathered again for that user.
//
//===----------------------------------------------------------------------===//

#include "BlockOrder.h"
#include "MovementPlans.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"

#define DEBUG_TYPE "dtensor-regather"

namespace dtensor {
#define GEN_PASS_DEF_REGATHER
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

/// Tells equal gathers apart, so that nobody makes them one again.
static constexpr llvm::StringLiteral kAgainAttr = "dtensor.again";

namespace {

/// A gather and the positions of its users in its block, ascending.
struct Gather {
  RedistributeOp op;
  double bytes;
  SmallVector<unsigned> users;
  /// The copy that is held, and how many there are.
  RedistributeOp held;
  int64_t copies = 0;
};

/// The gathers of one block.
class BlockCache : BlockOrder {
public:
  BlockCache(Block &block, MovementPlans &plans, double capacity)
      : BlockOrder(block), plans(plans), capacity(capacity) {}

  void run();

private:
  void collect(RedistributeOp op);
  bool isGather(RedistributeOp op);
  void use(Gather &gather, unsigned position);
  void makeRoom(const Gather &gather, unsigned position);
  /// The first user behind `position`; the number of ops if there is none.
  unsigned nextUser(const Gather &gather, unsigned position) const;

  MovementPlans &plans;
  const double capacity;
  std::vector<Gather> gathers;
  SmallVector<Gather *> held;
};

} // namespace

bool BlockCache::isGather(RedistributeOp op) {
  LayoutAttr from = getLayout(op.getInput()), to = getLayout(op.getResult());
  const Plan *plan = plans.find(from, to, op.getType().getElementType());
  return plan && plan->collectives() > 0 &&
         llvm::all_of(plan->steps, [](const Step &step) {
           return step.kind == StepKind::AllGather;
         });
}

void BlockCache::collect(RedistributeOp op) {
  if (op->hasOneUse() || !isGather(op))
    return;
  Gather gather{op, getHintedBytes(op.getType(), plans.getFacts()), {}, {}};
  for (Operation *user : op->getUsers())
    gather.users.push_back(
        positions[op->getBlock()->findAncestorOpInBlock(*user)]);
  llvm::sort(gather.users);
  gather.users.erase(llvm::unique(gather.users), gather.users.end());
  gathers.push_back(std::move(gather));
}

unsigned BlockCache::nextUser(const Gather &gather, unsigned position) const {
  auto *next = llvm::upper_bound(gather.users, position);
  return next == gather.users.end() ? ops.size() : *next;
}

/// Gives up values until `gather` fits beside those that are kept. What
/// `gather` itself needs, and what is used at `position`, is held in any case.
void BlockCache::makeRoom(const Gather &gather, unsigned position) {
  llvm::erase_if(held, [&](Gather *other) {
    return nextUser(*other, position - 1) == ops.size();
  });
  double bytes = gather.bytes;
  for (Gather *other : held)
    bytes += other->bytes;
  while (bytes > capacity && !held.empty()) {
    auto *farthest = llvm::max_element(held, [&](Gather *a, Gather *b) {
      return nextUser(*a, position - 1) < nextUser(*b, position - 1);
    });
    if (nextUser(**farthest, position - 1) == position)
      return;
    bytes -= (*farthest)->bytes;
    held.erase(farthest);
  }
}

void BlockCache::use(Gather &gather, unsigned position) {
  if (!llvm::is_contained(held, &gather)) {
    makeRoom(gather, position);
    if (gather.held) {
      OpBuilder builder(ops[position]);
      gather.held = cast<RedistributeOp>(builder.clone(*gather.op));
      gather.held->setAttr(kAgainAttr,
                           builder.getI64IntegerAttr(++gather.copies));
    } else {
      gather.held = gather.op;
    }
    held.push_back(&gather);
  }
  if (gather.held == gather.op)
    return;
  gather.op.getResult().replaceUsesWithIf(
      gather.held.getResult(), [&](OpOperand &use) {
        Operation *user =
            gather.op->getBlock()->findAncestorOpInBlock(*use.getOwner());
        return user == ops[position];
      });
}

void BlockCache::run() {
  for (Operation *op : ops)
    if (auto move = dyn_cast<RedistributeOp>(op))
      collect(move);
  SmallVector<std::pair<unsigned, Gather *>> uses;
  for (Gather &gather : gathers)
    for (unsigned position : gather.users)
      uses.push_back({position, &gather});
  llvm::sort(uses);
  for (auto [position, gather] : uses)
    use(*gather, position);
}

namespace {
struct RegatherPass : public dtensor::impl::RegatherBase<RegatherPass> {
  using RegatherBase::RegatherBase;

  void runOnOperation() override {
    if (keep < 0 || !getMesh(getOperation()))
      return;
    MovementPlans plans(getOperation());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      BlockCache(*block, plans, static_cast<double>(keep)).run();
  }
};
} // namespace
