// distance(a, b)[m, n] = sum over k of (a[m, k] - b[n, k])^2, sharded any way.
// All that DTensor asks of the op is here.
#include "Toy.h"
#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"

using namespace mlir;
using namespace dtensor;
using toy::DistanceOp;

namespace {
struct Normalize : NormalizeOpInterface::ExternalModel<Normalize, DistanceOp> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    Expr m = context.getExtents(op->getOperand(0))[0];
    Expr n = context.getExtents(op->getOperand(1))[0];
    return normalizeCore(op, context, {m, n});
  }
};

// mk, nk -> mn; where k is sharded, the result is a pending sum.
struct Rule : ShardingRuleOpInterface::ExternalModel<Rule, DistanceOp> {
  FailureOr<ShardingRule> getShardingRule(Operation *op) const {
    SmallVector<Expr> a = getExtents(op->getOperand(0));
    RuleBuilder builder;
    auto m = builder.parallel(a[0]);
    auto n = builder.parallel(getExtents(op->getOperand(1))[0]);
    SmallVector<unsigned, 1> k = {builder.add(FactorKind::Reduction, a[1])};
    builder.rule.operands = {{m, k}, {n, k}};
    builder.rule.results = {{m, n}};
    return builder.rule;
  }
};

// Any rows of a and b by themselves: the op itself on what a rank has.
struct Local : PartitionOpInterface::ExternalModel<Local, DistanceOp> {
  LogicalResult partition(Operation *op, OpBuilder &builder, ValueRange local,
                          PartitionContext &context,
                          SmallVectorImpl<Value> &results) const {
    results.push_back(DistanceOp::create(
        builder, op->getLoc(), context.getLocalType(op->getResult(0)), local));
    return success();
  }
};
} // namespace

void toy::registerSharding(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, ToyDialect *) {
    DistanceOp::attachInterface<Normalize, Rule, Local>(*context);
  });
}
