//===- ExplainMovement.cpp - one redistribute in words --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExplainMovement.h"

#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace dtensor;

/// Users that a paragraph names.
static constexpr unsigned kMaxUsers = 3;
/// Other plans that a paragraph names.
static constexpr unsigned kMaxPlans = 2;

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

std::string dtensor::describeLocation(Location loc) {
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    return (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
            Twine(file.getColumn()))
        .str();
  if (auto name = dyn_cast<NameLoc>(loc))
    return describeLocation(name.getChildLoc());
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return describeLocation(call.getCallee()) + " called at " +
           describeLocation(call.getCaller());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (!isa<UnknownLoc>(part))
        return describeLocation(part);
  return "an unknown place";
}

std::string dtensor::describeOp(Operation *op) {
  StringRef name = op->getName().getStringRef();
  name.consume_front("dtensor.");
  name.consume_front("func.");
  if (auto generic = dyn_cast<GenericOp>(op))
    name = generic.getLabel().value_or(name);
  return (name + " at " + describeLocation(op->getLoc())).str();
}

std::string dtensor::describePlacements(const Layout &layout) {
  std::string text = "[";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(layout.placements, os);
  os << ']';
  if (!layout.hasDefaultOrder()) {
    os << " order [";
    llvm::interleaveComma(layout.order, os);
    os << ']';
  }
  return text;
}

std::string dtensor::describeSteps(const Mesh &mesh, ArrayRef<Step> steps) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(
      steps, os,
      [&](const Step &step) {
        os << stringify(step.kind);
        bool reduces = step.kind == StepKind::AllReduce ||
                       step.kind == StepKind::InitPartial;
        if (reduces || step.kind == StepKind::ReduceScatter)
          os << ' ' << stringify(step.reduce);
        if (step.kind == StepKind::AllToAll)
          os << " from dim " << step.fromDim << " to";
        if (!reduces)
          os << " dim " << step.dim;
        os << " over ";
        llvm::interleave(
            step.axes, os,
            [&](unsigned axis) { os << '"' << mesh.getName(axis) << '"'; },
            " x ");
      },
      ", then ");
  return steps.empty() ? "nothing moves" : text;
}

std::string Movement::describeSteps() const {
  LayoutAttr layout = getLayout(RedistributeOp(op).getResult());
  std::string text =
      dtensor::describeSteps(layout.getMesh().getMesh(), plan.steps);
  if (bucket)
    text += ", in bucket " + std::to_string(*bucket);
  return text;
}

std::string dtensor::describeBytes(Expr bytes, const Facts &facts) {
  if (bytes.isOverflow())
    return "more bytes than 64 bits count";
  std::string text = bytes.str() + " bytes";
  if (!bytes.hasSymbols())
    return text;
  auto hint = [&](StringRef name, SymbolKind kind) {
    return facts.hint(Expr::symbol(bytes.getContext(), name, kind));
  };
  llvm::raw_string_ostream os(text);
  if (std::optional<int64_t> value = bytes.evaluate(hint))
    os << ", " << *value << " at ";
  else
    os << ", no value in 64 bits at ";
  llvm::ListSeparator separator;
  bytes.walkSymbols([&](StringRef name, SymbolKind kind) {
    os << separator << name << " = " << hint(name, kind);
  });
  return text;
}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

std::optional<Plan> MovementExplainer::makePlan(const Layout &from,
                                                const Layout &to,
                                                unsigned elementBytes) {
  return planRedistribution(mesh.getMesh(), from, to, elementBytes, facts,
                            dtensor::getExprContext(func.getContext()), model);
}

/// The attribute of an op keeps no times.
void MovementExplainer::timeSteps(Plan &plan, const Layout &from,
                                  unsigned elementBytes) {
  double total = elementBytes;
  for (Expr extent : from.extents)
    total *= static_cast<double>(facts.hint(extent));
  const Layout *before = &from;
  plan.time = 0;
  for (Step &step : plan.steps) {
    double whole = total;
    for (auto [axis, placement] : llvm::enumerate(before->placements))
      if (placement.isShard() && !llvm::is_contained(step.axes, axis))
        whole /= static_cast<double>(mesh.getMesh().hint(axis));
    step.time =
        model.stepTime(step.kind, whole, mesh.getMesh().groupHint(step.axes),
                       step.dim, step.fromDim);
    plan.time += step.time;
    before = &step.result;
  }
}

static bool sameSteps(ArrayRef<Step> lhs, ArrayRef<Step> rhs) {
  return lhs.size() == rhs.size() &&
         llvm::all_of_zip(lhs, rhs, [](const Step &x, const Step &y) {
           return x.kind == y.kind && x.axes == y.axes && x.dim == y.dim &&
                  x.fromDim == y.fromDim && x.reduce == y.reduce;
         });
}

/// Layouts that a plan might pass on its way: all that changes gathered, or one
/// axis replicated, sharded elsewhere, or already where it goes.
static SmallVector<Layout> stopovers(const Mesh &mesh, const Layout &from,
                                     const Layout &to,
                                     ArrayRef<unsigned> axes) {
  SmallVector<Layout> list;
  auto add = [&](ArrayRef<Placement> placements) {
    Layout layout(placements, from.extents);
    if (layout.verify(mesh, [](const Twine &) {}) &&
        !llvm::is_contained(list, layout))
      list.push_back(std::move(layout));
  };
  SmallVector<Placement> gathered(from.placements);
  for (unsigned axis : axes) {
    gathered[axis] = Placement::replicate();
    SmallVector<Placement> placements(from.placements);
    placements[axis] = Placement::replicate();
    add(placements);
    placements[axis] = to.placements[axis];
    add(placements);
    for (unsigned dim = 0; dim < from.getRank(); ++dim) {
      placements[axis] = Placement::shard(dim);
      add(placements);
    }
  }
  add(gathered);
  return list;
}

/// Does a plan come to a layout again that it has been in?
static bool turnsBack(const Layout &from, ArrayRef<Step> steps) {
  SmallVector<const Layout *> passed = {&from};
  for (const Step &step : steps) {
    if (llvm::any_of(passed, [&](const Layout *layout) {
          return step.result.samePlacements(*layout);
        }))
      return true;
    passed.push_back(&step.result);
  }
  return false;
}

/// The cheapest plans through one stopover that take other steps.
void MovementExplainer::findOthers(const Layout &from, const Layout &to,
                                   unsigned elementBytes, Planned &planned) {
  std::vector<Plan> found;
  SmallVector<unsigned> axes =
      changedAxes(mesh.getMesh(), from, to, facts,
                  dtensor::getExprContext(func.getContext()));
  for (const Layout &stop : stopovers(mesh.getMesh(), from, to, axes)) {
    std::optional<Plan> first = makePlan(from, stop, elementBytes);
    std::optional<Plan> second = makePlan(stop, to, elementBytes);
    if (!first || !second)
      continue;
    llvm::append_range(first->steps, second->steps);
    if (turnsBack(from, first->steps) ||
        sameSteps(first->steps, planned.plan->steps) ||
        llvm::any_of(found, [&](const Plan &other) {
          return sameSteps(first->steps, other.steps);
        }))
      continue;
    first->bytes = facts.simplify(first->bytes + second->bytes);
    first->time += second->time;
    auto later = llvm::find_if(
        found, [&](const Plan &other) { return first->time < other.time; });
    found.insert(later, std::move(*first));
  }
  for (const Plan &plan : ArrayRef(found).take_front(kMaxPlans))
    planned.others.push_back(
        {dtensor::describeSteps(mesh.getMesh(), plan.steps), plan.time,
         planned.plan->time, plan.bytes});
}

const MovementExplainer::Planned &MovementExplainer::lookup(RedistributeOp op) {
  LayoutAttr from = getLayout(op.getInput()), to = getLayout(op.getResult());
  unsigned bytes = getElementBytes(op.getType());
  // A plan that the op brings along is part of the question.
  Attribute target = op.getPlanAttr() ? Attribute(op.getPlanAttr()) : to;
  auto [slot, isNew] = known.try_emplace({{from, target}, bytes});
  Planned &planned = slot->second;
  if (!isNew)
    return planned;
  planned.plan = makePlan(from.getLayout(), to.getLayout(), bytes);
  if (op.getPlanAttr()) {
    planned.plan = op.getPlanAttr().getPlan();
    timeSteps(*planned.plan, from.getLayout(), bytes);
  }
  if (planned.plan && planned.plan->collectives() > 0)
    findOthers(from.getLayout(), to.getLayout(), bytes, planned);
  return planned;
}

//===----------------------------------------------------------------------===//
// Who gives and who wants
//===----------------------------------------------------------------------===//

const OpPricing *MovementExplainer::getPricing(Operation *op) {
  auto [slot, isNew] = pricings.try_emplace(op);
  if (!isNew)
    return slot->second.get();
  auto ruled = dyn_cast<ShardingRuleOpInterface>(op);
  if (!ruled)
    return nullptr;
  FailureOr<ShardingRule> rule = ruled.getShardingRule();
  if (succeeded(rule))
    slot->second = std::make_unique<OpPricing>(op, std::move(*rule),
                                               mesh.getMesh(), facts);
  return slot->second.get();
}

std::string MovementExplainer::describeGiven(Value value) {
  std::string placements =
      " gives " + describePlacements(getLayout(value).getLayout());
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return describeOp(value.getDefiningOp()) + placements;
  Operation *parent = argument.getOwner()->getParentOp();
  std::string number = std::to_string(argument.getArgNumber());
  if (parent == func)
    return "argument " + number + " of @" + func.getName().str() + " at " +
           describeLocation(argument.getLoc()) + placements;
  return "value " + number + " in a region of " + describeOp(parent) +
         placements;
}

/// A redistribute or constraint of the input program has a location of its own;
/// what a pass inserts has that of the value or of a user.
bool MovementExplainer::isStated(RedistributeOp op) {
  Location loc = op.getLoc();
  if (isa<UnknownLoc>(loc))
    return false;
  if (op.getInput().getLoc() == loc)
    return false;
  return llvm::none_of(op->getUsers(),
                       [&](Operation *user) { return user->getLoc() == loc; });
}

std::string MovementExplainer::describeStrategies(Operation *op,
                                                  ArrayRef<unsigned> axes) {
  std::string text;
  if (const OpPricing *pricing = getPricing(op))
    for (unsigned axis : axes)
      if (std::optional<Strategy> strategy = pricing->chosen(axis))
        text += (text.empty() ? ": it runs " : ", ") +
                pricing->describe(*strategy) + " on \"" +
                mesh.getMesh().getName(axis).str() + "\"";
  return text;
}

std::string MovementExplainer::describeChoice(Value value) {
  Operation *op = value.getDefiningOp();
  auto axes =
      llvm::to_vector(llvm::seq<unsigned>(0, mesh.getMesh().getNumAxes()));
  return describeGiven(value) +
         (op ? describeStrategies(op, axes) : std::string());
}

std::string MovementExplainer::describeReason(OpOperand &use,
                                              ArrayRef<unsigned> axes) {
  Operation *user = use.getOwner();
  std::string number = std::to_string(use.getOperandNumber());
  if (isa<func::ReturnOp>(user))
    return ": result " + number + " of @" + func.getName().str();
  if (auto call = dyn_cast<CallOp>(user))
    return ": argument " + number + " of @" + call.getCallee().str();
  if (isa<RedistributeOp>(user))
    return ": redistributed again";
  if (isa<RegionBranchOpInterface, RegionBranchTerminatorOpInterface>(user))
    return ": all ways into a branch or loop agree";
  return describeStrategies(user, axes);
}

std::string MovementExplainer::describeWanted(OpOperand &use,
                                              ArrayRef<unsigned> axes) {
  std::string text = describeOp(use.getOwner());
  text += " wants " + describePlacements(getLayout(use.get()).getLayout());
  if (!isa<func::ReturnOp, CallOp>(use.getOwner()))
    text += " of operand " + std::to_string(use.getOperandNumber());
  return text + describeReason(use, axes);
}

void MovementExplainer::describeUsers(Movement &movement,
                                      ArrayRef<unsigned> axes) {
  RedistributeOp op = movement.op;
  if (isStated(op)) {
    movement.wanted.push_back(
        "the program states " +
        describePlacements(getLayout(op.getResult()).getLayout()) + " at " +
        describeLocation(op.getLoc()));
    return;
  }
  // Uses are listed last first.
  SmallVector<OpOperand *> uses = llvm::map_to_vector(
      op.getResult().getUses(), [](OpOperand &use) { return &use; });
  if (!uses.empty())
    movement.where = uses.back()->getOwner()->getLoc();
  for (OpOperand *use : llvm::reverse(uses)) {
    if (movement.wanted.size() == kMaxUsers) {
      movement.wanted.push_back(std::to_string(uses.size() - kMaxUsers) +
                                " more want the same");
      break;
    }
    movement.wanted.push_back(describeWanted(*use, axes));
  }
}

std::optional<Movement> MovementExplainer::explain(RedistributeOp op) {
  LayoutAttr from = getLayout(op.getInput()), to = getLayout(op.getResult());
  if (!from || !to || from.getLayout().hasOpen() || to.getLayout().hasOpen())
    return std::nullopt;
  const Planned &planned = lookup(op);
  if (!planned.plan)
    return std::nullopt;
  Movement movement(op);
  movement.plan = *planned.plan;
  if (auto bucket = op->getAttrOfType<IntegerAttr>(DTensorDialect::kBucketAttr))
    movement.bucket = bucket.getInt();
  movement.given = describeGiven(op.getInput());
  movement.inLoop = op->getParentOfType<LoopLikeOpInterface>() != nullptr;
  SmallVector<unsigned> axes =
      changedAxes(mesh.getMesh(), from.getLayout(), to.getLayout(), facts,
                  dtensor::getExprContext(func.getContext()));
  describeUsers(movement, axes);
  llvm::append_range(movement.rejected, planned.others);
  if (movement.plan.collectives() == 0)
    return movement;
  SmallVector<Operation *> around;
  if (Operation *producer = op.getInput().getDefiningOp())
    around.push_back(producer);
  if (!isStated(op) && op.getResult().hasOneUse())
    around.push_back(*op->getUsers().begin());
  for (Operation *neighbour : around)
    if (const OpPricing *pricing = getPricing(neighbour))
      for (unsigned axis : axes)
        pricing->addRejected(axis, movement.rejected);
  return movement;
}
