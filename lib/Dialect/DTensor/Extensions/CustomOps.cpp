//===- CustomOps.cpp - ops that are told at run time ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ops are dynamic ops of a dynamic dialect, which carries their definitions
// as a dialect interface. The external models are one class for all: what they
// answer, they ask the definition.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Extensions/CustomOps.h"

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectInterface.h"
#include "mlir/IR/ExtensibleDialect.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace dtensor;

namespace {
/// The definitions of one dialect, by the full names of the ops.
struct CustomOps : DialectInterface::Base<CustomOps> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CustomOps)
  explicit CustomOps(Dialect *dialect) : Base(dialect) {}
  llvm::StringMap<CustomOp> definitions;
};
} // namespace

const CustomOp *dtensor::getCustomOp(Operation *op) {
  Dialect *dialect = op->getDialect();
  auto *ops = dialect ? dialect->getRegisteredInterface<CustomOps>() : nullptr;
  if (!ops)
    return nullptr;
  auto it = ops->definitions.find(op->getName().getStringRef());
  return it == ops->definitions.end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// What is asked of an op
//===----------------------------------------------------------------------===//

// One list of factors per dimension of every tensor, and none for a scalar.
static LogicalResult verifyRanks(Operation *op, TypeRange types,
                                 ArrayRef<TensorMap> maps, StringRef side) {
  if (maps.size() != types.size())
    return op->emitOpError() << "has " << types.size() << " " << side
                             << "s, but its rule tells of " << maps.size();
  for (auto [index, type] : llvm::enumerate(types)) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    size_t rank = tensor ? tensor.getRank() : 0;
    if (maps[index].size() != rank)
      return op->emitOpError() << "has " << side << " " << index << " of rank "
                               << rank << ", but its rule tells of "
                               << maps[index].size() << " dimensions";
  }
  return success();
}

static FailureOr<ShardingRule>
askRule(Operation *op, ArrayRef<SmallVector<Expr>> operandExtents) {
  FailureOr<ShardingRule> rule = getCustomOp(op)->getRule(op, operandExtents);
  if (failed(rule) ||
      failed(
          verifyRanks(op, op->getOperandTypes(), rule->operands, "operand")) ||
      failed(verifyRanks(op, op->getResultTypes(), rule->results, "result")))
    return failure();
  auto emitError = [&](const Twine &text) { op->emitOpError() << text; };
  if (!rule->verify(emitError))
    return failure();
  return rule;
}

// A dimension without factors has extent 1.
static SmallVector<Expr> extentsOf(ExprContext &context,
                                   const ShardingRule &rule,
                                   const TensorMap &map) {
  SmallVector<Expr> extents;
  for (ArrayRef<unsigned> factors : map) {
    Expr product = Expr::constant(context, 1);
    for (unsigned factor : factors)
      product = product * rule.factors[factor].size;
    extents.push_back(product);
  }
  return extents;
}

namespace {
// The models never meet a class of the op.
struct NormalizeModel
    : NormalizeOpInterface::ExternalModel<NormalizeModel, Operation *> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    FailureOr<ShardingRule> rule = askRule(op, normalizedExtents(op, context));
    if (failed(rule))
      return failure();
    OperationState state(op->getLoc(), op->getName());
    for (auto [result, map] :
         llvm::zip_equal(op->getResults(), rule->results)) {
      FailureOr<RankedTensorType> type = context.getResultType(
          op, result, extentsOf(context.getExprContext(), *rule, map));
      if (failed(type))
        return failure();
      state.types.push_back(*type);
    }
    for (Value operand : op->getOperands())
      state.operands.push_back(context.lookup(operand));
    state.addAttributes(op->getAttrs());
    Operation *now = context.getBuilder().create(state);
    for (auto [old, value] :
         llvm::zip_equal(op->getResults(), now->getResults()))
      context.map(old, value);
    return success();
  }
};

struct RuleModel
    : ShardingRuleOpInterface::ExternalModel<RuleModel, Operation *> {
  FailureOr<ShardingRule> getShardingRule(Operation *op) const {
    SmallVector<SmallVector<Expr>> extents;
    for (Value operand : op->getOperands())
      extents.push_back(isa<RankedTensorType>(operand.getType())
                            ? getExtents(operand)
                            : SmallVector<Expr>());
    return askRule(op, extents);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// The local view
//===----------------------------------------------------------------------===//

static FailureOr<func::FuncOp> getOnlyFunction(Operation *op,
                                               ModuleOp lowering) {
  Block &body = *lowering.getBody();
  func::FuncOp function;
  if (llvm::hasSingleElement(body))
    function = dyn_cast<func::FuncOp>(body.front());
  if (!function || !function.getBody().hasOneBlock())
    return op->emitOpError()
           << "has a lowering that is not one function of one block";
  return function;
}

static bool mayCast(Type from, Type to) {
  return from == to || tensor::CastOp::areCastCompatible(from, to);
}

// The types as stated, when each can stand for its partner.
static LogicalResult verifyTypes(Operation *op, TypeRange local, TypeRange told,
                                 StringRef side) {
  if (local.size() != told.size())
    return op->emitOpError() << "has " << local.size() << " " << side
                             << "s, but its lowering has " << told.size();
  for (auto [index, types] : llvm::enumerate(llvm::zip_equal(local, told)))
    if (auto [here, there] = types; !mayCast(here, there))
      return op->emitOpError()
             << "has local " << side << " " << index << " of type " << here
             << ", but its lowering states " << there;
  return success();
}

static Value castTo(OpBuilder &builder, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

// Clones the body of `function` with `operands` for its arguments.
static LogicalResult inlineBody(Operation *op, func::FuncOp function,
                                OpBuilder &builder, ValueRange operands,
                                TypeRange resultTypes,
                                SmallVectorImpl<Value> &results) {
  Location loc = op->getLoc();
  if (failed(verifyTypes(op, operands.getTypes(), function.getArgumentTypes(),
                         "operand")) ||
      failed(verifyTypes(op, resultTypes, function.getResultTypes(), "result")))
    return failure();
  IRMapping mapping;
  for (auto [operand, argument] :
       llvm::zip_equal(operands, function.getArguments()))
    mapping.map(argument, castTo(builder, loc, operand, argument.getType()));
  Block &body = function.getBody().front();
  for (Operation &inner : body.without_terminator())
    builder.clone(inner, mapping)->walk([&](Operation *now) {
      now->setLoc(loc);
    });
  for (auto [value, type] :
       llvm::zip_equal(body.getTerminator()->getOperands(), resultTypes))
    results.push_back(castTo(builder, loc, mapping.lookup(value), type));
  return success();
}

namespace {
struct PartitionModel
    : PartitionOpInterface::ExternalModel<PartitionModel, Operation *> {
  LogicalResult partition(Operation *op, OpBuilder &builder,
                          ValueRange operands, PartitionContext &context,
                          SmallVectorImpl<Value> &results) const {
    SmallVector<Type> types;
    for (Value result : op->getResults())
      types.push_back(context.getLocalType(result));
    const CustomOp *definition = getCustomOp(op);
    if (definition->lower) {
      OwningOpRef<ModuleOp> lowering =
          definition->lower(op, operands.getTypes(), types);
      if (!lowering)
        return failure();
      FailureOr<func::FuncOp> function = getOnlyFunction(op, *lowering);
      return failed(function)
                 ? failure()
                 : inlineBody(op, *function, builder, operands, types, results);
    }
    OperationState state(op->getLoc(), op->getName());
    state.addOperands(operands);
    state.addTypes(types);
    state.addAttributes(op->getAttrs());
    llvm::append_range(results, builder.create(state)->getResults());
    return success();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------===//

static LogicalResult verifyCustomOp(Operation *op) {
  if (op->getNumRegions() || op->getNumSuccessors())
    return op->emitOpError("of a host has no regions and no successors");
  for (Type type : op->getOperandTypes())
    if (isa<ShapedType>(type) && !isa<RankedTensorType>(type))
      return op->emitOpError()
             << "takes tensors of known rank and scalars, not " << type;
  for (Type type : op->getResultTypes())
    if (!isa<RankedTensorType>(type))
      return op->emitOpError() << "gives tensors of known rank, not " << type;
  return success();
}

// The dialect of `name`, made when it is new; null after an error.
static DynamicDialect *getCustomDialect(MLIRContext *context, StringRef name,
                                        std::string &error) {
  Dialect *loaded = context->getLoadedDialect(name);
  bool foreign =
      loaded ? !loaded->getRegisteredInterface<CustomOps>()
             : llvm::is_contained(context->getAvailableDialects(), name);
  if (foreign) {
    error = "dialect \"" + name.str() + "\" is not the host's";
    return nullptr;
  }
  return context->getOrLoadDynamicDialect(name, [](DynamicDialect *dialect) {
    dialect->addInterfaces<CustomOps>();
  });
}

LogicalResult dtensor::registerCustomOp(MLIRContext *context, CustomOp customOp,
                                        std::string &error) {
  std::string name = customOp.name;
  auto [dialectName, opName] = StringRef(name).split('.');
  if (dialectName.empty() || opName.empty()) {
    error = "\"" + name + "\" is not the name of an op: expected dialect.op";
    return failure();
  }
  DynamicDialect *dialect = getCustomDialect(context, dialectName, error);
  if (!dialect)
    return failure();
  if (RegisteredOperationName::lookup(name, context)) {
    error = "op \"" + name + "\" is registered already";
    return failure();
  }
  dialect->registerDynamicOp(DynamicOpDefinition::get(
      opName, dialect, verifyCustomOp, [](Operation *) { return success(); }));
  RegisteredOperationName::lookup(name, context)
      ->attachInterface<NormalizeModel, RuleModel, PartitionModel>();
  dialect->getRegisteredInterface<CustomOps>()->definitions.try_emplace(
      name, std::move(customOp));
  return success();
}
