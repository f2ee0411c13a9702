//===- StableHLO.cpp - ops of StableHLO without StableHLO -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StableHLO.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace dtensor;

static constexpr StringLiteral kPrefix = "stablehlo.";

static bool isStableHLO(Operation *op) {
  return op->getName().getStringRef().starts_with(kPrefix);
}

/// `add` for `stablehlo.add`.
static StringRef nameOf(Operation *op) {
  return op->getName().getStringRef().drop_front(kPrefix.size());
}

//===----------------------------------------------------------------------===//
// Pointwise ops
//===----------------------------------------------------------------------===//

/// Our op of the same operands and no attributes; empty if there is none.
static StringRef samePointwise(StringRef name, Type element) {
  bool isBool = element.isInteger(1);
  return llvm::StringSwitch<StringRef>(name)
      .Case("abs", "abs")
      .Case("add", isBool ? "logical_or" : "add")
      .Case("and", isBool ? "logical_and" : "bitwise_and")
      .Case("atan2", "atan2")
      .Case("cbrt", "")
      .Case("ceil", "ceil")
      .Case("convert", "cast")
      .Case("cosine", "cos")
      .Case("divide", isa<FloatType>(element) ? "div" : "")
      .Case("exponential", "exp")
      .Case("exponential_minus_one", "expm1")
      .Case("floor", "floor")
      .Case("is_finite", "isfinite")
      .Case("log", "log")
      .Case("log_plus_one", "log1p")
      .Case("logistic", "sigmoid")
      .Case("maximum", "maximum")
      .Case("minimum", "minimum")
      .Case("multiply", isBool ? "logical_and" : "mul")
      .Case("negate", "neg")
      .Case("not", isBool ? "logical_not" : "bitwise_not")
      .Case("or", isBool ? "logical_or" : "bitwise_or")
      .Case("power", "pow")
      .Case("remainder", isa<FloatType>(element) ? "fmod" : "")
      .Case("round_nearest_even", "round")
      .Case("rsqrt", "rsqrt")
      .Case("select", "where")
      .Case("sign", "sign")
      .Case("sine", "sin")
      .Case("sqrt", "sqrt")
      .Case("subtract", "sub")
      .Case("tan", "tan")
      .Case("tanh", "tanh")
      .Case("xor", isBool ? "logical_xor" : "bitwise_xor")
      .Default("");
}

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

bool dtensor::isPointwise(Operation *op) {
  if (!isStableHLO(op))
    return OpTrait::hasElementwiseMappableTraits(op);
  StringRef name = nameOf(op);
  return name == "compare" || name == "clamp" ||
         (op->getNumOperands() &&
          !samePointwise(name, elementOf(op->getOperand(0))).empty());
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// `array<i64: 1, 0>`, or a dense tensor.
static std::optional<SmallVector<int64_t>> getNumbers(Operation *op,
                                                      StringRef name) {
  Attribute attr = op->getAttr(name);
  if (auto array = dyn_cast_or_null<DenseI64ArrayAttr>(attr))
    return llvm::to_vector(array.asArrayRef());
  if (auto dense = dyn_cast_or_null<DenseIntElementsAttr>(attr))
    return llvm::to_vector(
        llvm::map_range(dense.getValues<APInt>(), [](const APInt &value) {
          return value.getSExtValue();
        }));
  return std::nullopt;
}

/// The list behind `name = [` in an attribute that MLIR keeps as a text; empty
/// where it is not written.
static SmallVector<int64_t> getList(StringRef text, StringRef name) {
  SmallVector<int64_t> result;
  auto [before, rest] = text.split((name + " = [").str());
  StringRef list = rest.take_until([](char c) { return c == ']'; });
  for (int64_t number; !(list = list.ltrim(" ,")).empty();) {
    if (list.consumeInteger(10, number))
      break;
    result.push_back(number);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

namespace {

class Converter {
public:
  explicit Converter(Operation *op) : op(op), builder(op) {}

  LogicalResult convert() {
    StringRef name = nameOf(op);
    if (op->getNumOperands()) {
      StringRef same = samePointwise(name, elementOf(op->getOperand(0)));
      if (!same.empty())
        return replace(same, op->getOperands());
    }
    using Method = LogicalResult (Converter::*)();
    Method method = llvm::StringSwitch<Method>(name)
                        .Case("broadcast_in_dim", &Converter::broadcast)
                        .Case("clamp", &Converter::clamp)
                        .Case("compare", &Converter::compare)
                        .Case("constant", &Converter::constant)
                        .Case("dot", &Converter::dot)
                        .Case("dot_general", &Converter::dotGeneral)
                        .Case("iota", &Converter::iota)
                        .Case("optimization_barrier", &Converter::barrier)
                        .Case("reduce", &Converter::reduce)
                        .Case("reshape", &Converter::reshape)
                        .Case("transpose", &Converter::transpose)
                        .Default(nullptr);
    if (method)
      return (this->*method)();
    return op->emitOpError("is not among the ops of StableHLO that are known, ")
           << "on elements "
           << (op->getNumOperands() ? elementOf(op->getOperand(0))
                                    : builder.getNoneType());
  }

private:
  LogicalResult fail(const Twine &what) { return op->emitOpError(what); }

  Value create(StringRef name, ValueRange operands, Type result,
               ArrayRef<NamedAttribute> attributes = {}) {
    OperationState state(op->getLoc(), ("dtensor." + name).str());
    state.addOperands(operands);
    state.addTypes(result);
    state.addAttributes(attributes);
    return builder.create(state)->getResult(0);
  }

  LogicalResult replace(StringRef name, ValueRange operands,
                        ArrayRef<NamedAttribute> attributes = {}) {
    if (op->getNumResults() != 1)
      return fail("has " + Twine(op->getNumResults()) + " results, expected 1");
    op->getResult(0).replaceAllUsesWith(
        create(name, operands, op->getResult(0).getType(), attributes));
    return success();
  }

  NamedAttribute numbers(StringRef name, ArrayRef<int64_t> values) {
    return builder.getNamedAttr(name, builder.getI64ArrayAttr(values));
  }

  LogicalResult needOperands(unsigned count) {
    if (op->getNumOperands() == count &&
        llvm::all_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>) &&
        llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>) &&
        op->getNumResults() >= 1)
      return success();
    return fail("expected " + Twine(count) +
                " operands and a result, ranked tensors all");
  }

  LogicalResult barrier() {
    if (op->getOperandTypes() != op->getResultTypes())
      return fail("has results of other types than its operands");
    op->replaceAllUsesWith(op->getOperands());
    return success();
  }

  LogicalResult constant() {
    auto value = dyn_cast_or_null<TypedAttr>(op->getAttr("value"));
    if (!value || op->getNumResults() != 1 ||
        value.getType() != op->getResult(0).getType())
      return fail("has no value of its type");
    op->getResult(0).replaceAllUsesWith(
        arith::ConstantOp::create(builder, op->getLoc(), value));
    return success();
  }

  LogicalResult iota() {
    auto dim = op->getAttrOfType<IntegerAttr>("iota_dimension");
    return dim ? replace("iota", {},
                         {{"dim", builder.getI64IntegerAttr(dim.getInt())}})
               : fail("has no iota_dimension");
  }

  LogicalResult compare() {
    // `#stablehlo<comparison_direction LT>`
    std::string text;
    llvm::raw_string_ostream(text) << op->getAttr("comparison_direction");
    StringRef direction = StringRef(text).rtrim('>').rsplit(' ').second;
    bool isKnown =
        llvm::is_contained({"EQ", "NE", "LT", "LE", "GT", "GE"}, direction);
    if (failed(needOperands(2)))
      return failure();
    if (!isKnown || (elementOf(op->getOperand(0)).isInteger(1) &&
                     direction != "EQ" && direction != "NE"))
      return fail("has comparison_direction " + text);
    return replace("compare", op->getOperands(),
                   {{"predicate", builder.getStringAttr(direction.lower())}});
  }

  LogicalResult clamp() {
    if (failed(needOperands(3)))
      return failure();
    return replace("clamp",
                   {op->getOperand(1), op->getOperand(0), op->getOperand(2)});
  }

  LogicalResult reshape() {
    return failed(needOperands(1)) ? failure()
                                   : replace("reshape", op->getOperands());
  }

  LogicalResult transpose() {
    auto permutation = getNumbers(op, "permutation");
    if (!permutation)
      return fail("has no permutation");
    return replace("permute", op->getOperands(),
                   {numbers("permutation", *permutation)});
  }

  /// New dimensions of size 1, then all sizes.
  LogicalResult broadcast() {
    auto dims = getNumbers(op, "broadcast_dimensions");
    if (failed(needOperands(1)))
      return failure();
    Value input = op->getOperand(0);
    auto from = cast<RankedTensorType>(input.getType());
    auto to = cast<RankedTensorType>(op->getResult(0).getType());
    if (!dims || static_cast<int64_t>(dims->size()) != from.getRank() ||
        !llvm::is_sorted(*dims, std::less_equal<int64_t>()) ||
        llvm::any_of(*dims,
                     [&](int64_t d) { return d < 0 || d >= to.getRank(); }))
      return fail("has broadcast_dimensions that are not in order, or not " +
                  Twine(from.getRank()));
    SmallVector<int64_t> added, shape(to.getRank(), 1);
    for (auto [dim, size] : llvm::zip_equal(*dims, from.getShape()))
      shape[dim] = size;
    for (int64_t dim = 0; dim < to.getRank(); ++dim)
      if (!llvm::is_contained(*dims, dim))
        added.push_back(dim);
    if (!added.empty())
      input = create("unsqueeze", input, from.clone(shape),
                     {numbers("dims", added)});
    if (input.getType() != to)
      input = create("expand", input, to);
    op->getResult(0).replaceAllUsesWith(input);
    return success();
  }

  LogicalResult dot() {
    if (failed(needOperands(2)))
      return failure();
    int64_t last =
        cast<RankedTensorType>(op->getOperand(0).getType()).getRank() - 1;
    return einsum({}, {}, last, 0);
  }

  LogicalResult dotGeneral() {
    if (failed(needOperands(2)))
      return failure();
    std::string text;
    llvm::raw_string_ostream(text) << op->getAttr("dot_dimension_numbers");
    return einsum(getList(text, "lhs_batching_dimensions"),
                  getList(text, "rhs_batching_dimensions"),
                  getList(text, "lhs_contracting_dimensions"),
                  getList(text, "rhs_contracting_dimensions"));
  }

  /// A letter for each dimension; the result has those of the batch, then what
  /// is left of both operands.
  LogicalResult einsum(ArrayRef<int64_t> lhsBatch, ArrayRef<int64_t> rhsBatch,
                       ArrayRef<int64_t> lhsSum, ArrayRef<int64_t> rhsSum) {
    std::string names[2], batch, rest[2];
    char next = 'a';
    for (unsigned side : {0, 1}) {
      int64_t rank =
          cast<RankedTensorType>(op->getOperand(side).getType()).getRank();
      names[side].assign(static_cast<size_t>(rank), ' ');
    }
    auto pair = [&](ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs,
                    std::string *both) {
      for (auto [l, r] : llvm::zip(lhs, rhs)) {
        if (l < 0 || r < 0 || l >= static_cast<int64_t>(names[0].size()) ||
            r >= static_cast<int64_t>(names[1].size()) || next > 'z')
          return false;
        names[0][static_cast<size_t>(l)] = names[1][static_cast<size_t>(r)] =
            next;
        if (both)
          *both += next;
        ++next;
      }
      return lhs.size() == rhs.size();
    };
    if (!pair(lhsBatch, rhsBatch, &batch) || !pair(lhsSum, rhsSum, nullptr))
      return fail("has dimension numbers that do not fit its operands");
    for (unsigned side : {0, 1})
      for (char &name : names[side])
        if (name == ' ')
          rest[side] += name = next++;
    if (next > 'z' + 1)
      return fail("has more than 26 dimensions");
    std::string equation =
        names[0] + "," + names[1] + "->" + batch + rest[0] + rest[1];
    return replace("einsum", op->getOperands(),
                   {{"equation", builder.getStringAttr(equation)}});
  }

  /// Our reduction of the scalars that one op of the region combines.
  StringRef reductionOf(unsigned index) {
    Block &block = op->getRegion(0).front();
    unsigned count = op->getNumResults();
    if (!block.mightHaveTerminator() ||
        block.getTerminator()->getNumOperands() != count ||
        block.getNumArguments() != 2 * count)
      return "";
    Operation *by = block.getTerminator()->getOperand(index).getDefiningOp();
    if (!by || by->getNumOperands() != 2 || !isStableHLO(by))
      return "";
    Value a = block.getArgument(index), b = block.getArgument(count + index);
    if (by->getOperand(0) == b)
      std::swap(a, b);
    if (by->getOperand(0) != a || by->getOperand(1) != b)
      return "";
    bool isBool = elementOf(a).isInteger(1);
    return llvm::StringSwitch<StringRef>(nameOf(by))
        .Case("add", isBool ? "any" : "sum")
        .Case("or", isBool ? "any" : "")
        .Case("and", isBool ? "all" : "")
        .Case("multiply", isBool ? "all" : "prod")
        .Case("maximum", isBool ? "any" : "amax")
        .Case("minimum", isBool ? "all" : "amin")
        .Default("");
  }

  LogicalResult reduce() {
    unsigned count = op->getNumResults();
    auto dims = getNumbers(op, "dimensions");
    if (!dims || op->getNumRegions() != 1 || op->getRegion(0).empty() ||
        failed(needOperands(2 * count)))
      return fail("has no dimensions, or no region");
    for (unsigned index = 0; index < count; ++index) {
      StringRef name = reductionOf(index);
      if (name.empty())
        return fail("combines result " + Twine(index) +
                    " by another op than add, multiply, maximum, minimum, and "
                    "or or");
      if (!startsNeutral(op->getOperand(count + index), name))
        return fail("starts result " + Twine(index) +
                    " from another value than the neutral element of " + name);
      Value result = op->getResult(index);
      result.replaceAllUsesWith(create(name, op->getOperand(index),
                                       result.getType(),
                                       {numbers("dims", *dims)}));
    }
    return success();
  }

  static bool startsNeutral(Value init, StringRef name) {
    Operation *by = init.getDefiningOp();
    auto value = by ? dyn_cast_or_null<DenseElementsAttr>(by->getAttr("value"))
                    : nullptr;
    if (!value || !value.isSplat())
      return false;
    bool low = name == "amax";
    if (isa<FloatType>(value.getElementType())) {
      APFloat number = value.getSplatValue<APFloat>();
      if (low || name == "amin")
        return number.isInfinity() && number.isNegative() == low;
      return name == "sum" ? number.isZero() : number.isExactlyValue(1.0);
    }
    APInt number = value.getSplatValue<APInt>();
    if (low || name == "amin")
      return low ? number.isMinSignedValue() : number.isMaxSignedValue();
    return name == "sum" || name == "any" ? number.isZero() : number.isOne();
  }

  Operation *op;
  OpBuilder builder;
};

} // namespace

LogicalResult dtensor::convertStableHLO(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isStableHLO(op))
      return WalkResult::advance();
    ops.push_back(op);
    return WalkResult::skip();
  });
  for (Operation *op : ops)
    if (failed(Converter(op).convert()))
      return failure();
  // Users before what they use: a reduction looks at the constant it starts
  // from.
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  return success();
}
