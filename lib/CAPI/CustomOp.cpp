//===- CustomOp.cpp - Ops of a host by callbacks --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include "dtensor-c/dtensor_custom_op.h"

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "llvm/ADT/StringSet.h"

#include <list>

using namespace dtensor;
using namespace dtensor::capi;
using mlir::Operation;
using mlir::RankedTensorType;

//===----------------------------------------------------------------------===//
// What a callback is told
//===----------------------------------------------------------------------===//

template <class T>
static std::string toText(const T &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

static std::vector<std::string> extentsOf(mlir::Type type) {
  std::vector<std::string> texts;
  if (auto tensor = llvm::dyn_cast<RankedTensorType>(type))
    for (int64_t size : tensor.getShape())
      texts.push_back(mlir::ShapedType::isDynamic(size) ? "?"
                                                        : std::to_string(size));
  return texts;
}

namespace {
/// The C structs of one op, and the texts that they point to.
class Description {
public:
  explicit Description(Operation *op)
      : name(op->getName().getStringRef()),
        attributes(toText(op->getAttrDictionary())) {
    told.struct_size = sizeof(told);
    told.name = name.c_str();
    told.attributes = attributes.c_str();
  }

  void addOperand(mlir::Type type, std::vector<std::string> extents) {
    operands.push_back(addTensor(type, std::move(extents)));
  }
  void addResult(mlir::Type type) {
    results.push_back(addTensor(type, extentsOf(type)));
  }

  const dtensor_compiler_op *get() {
    told.num_operands = operands.size();
    told.num_results = results.size();
    told.operands = operands.data();
    told.results = results.data();
    return &told;
  }

private:
  // Lists, so that what is pointed to stays in place.
  struct Tensor {
    std::string elementType;
    std::vector<std::string> extents;
    std::vector<const char *> pointers;
    dtensor_compiler_tensor told = {};
  };

  const dtensor_compiler_tensor *addTensor(mlir::Type type,
                                           std::vector<std::string> extents) {
    Tensor &tensor = tensors.emplace_back();
    auto ranked = llvm::dyn_cast<RankedTensorType>(type);
    tensor.elementType = toText(ranked ? ranked.getElementType() : type);
    tensor.extents = std::move(extents);
    for (const std::string &extent : tensor.extents)
      tensor.pointers.push_back(extent.c_str());
    tensor.told.struct_size = sizeof(tensor.told);
    tensor.told.rank = ranked ? static_cast<int32_t>(ranked.getRank()) : -1;
    tensor.told.element_type = tensor.elementType.c_str();
    tensor.told.extents = tensor.pointers.data();
    return &tensor.told;
  }

  std::string name, attributes;
  std::list<Tensor> tensors;
  std::vector<const dtensor_compiler_tensor *> operands, results;
  dtensor_compiler_op told = {};
};
} // namespace

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

struct dtensor_compiler_rule {
  dtensor_compiler_rule(ExprContext &context, mlir::TypeRange operands,
                        mlir::TypeRange results)
      : context(context) {
    auto reserve = [](mlir::TypeRange types,
                      llvm::SmallVectorImpl<TensorMap> &maps, Told &told) {
      for (mlir::Type type : types) {
        auto tensor = llvm::dyn_cast<RankedTensorType>(type);
        maps.emplace_back(tensor ? tensor.getRank() : 0);
        told.emplace_back(maps.back().size(), false);
      }
    };
    reserve(operands, rule.operands, toldOperands);
    reserve(results, rule.results, toldResults);
  }

  using Told = std::vector<std::vector<bool>>;

  /// The first of several complaints stays.
  void complain(const llvm::Twine &what) {
    if (error.empty())
      error = what.str();
  }

  void setDim(bool isResult, size_t index, size_t dim, const uint32_t *factors,
              size_t count) {
    auto &maps = isResult ? rule.results : rule.operands;
    Told &told = isResult ? toldResults : toldOperands;
    if (index >= maps.size() || dim >= maps[index].size())
      return complain("its rule tells of dimension " + llvm::Twine(dim) +
                      " of " + side(isResult) + llvm::Twine(index) +
                      ", which is not there");
    maps[index][dim].assign(factors, factors + count);
    told[index][dim] = true;
  }

  void checkComplete(bool isResult) {
    for (auto [index, dims] :
         llvm::enumerate(isResult ? toldResults : toldOperands))
      for (size_t dim = 0; dim < dims.size(); ++dim)
        if (!dims[dim])
          complain("its rule does not tell of dimension " + llvm::Twine(dim) +
                   " of " + side(isResult) + llvm::Twine(index));
  }

  static const char *side(bool isResult) {
    return isResult ? "result " : "operand ";
  }

  ExprContext &context;
  llvm::StringSet<> symbols;
  ShardingRule rule;
  Told toldOperands, toldResults;
  std::string error;
};

static std::optional<ReduceKind> toReduceKind(int32_t kind) {
  switch (kind) {
  case DTENSOR_COMPILER_SUM:
    return ReduceKind::Sum;
  case DTENSOR_COMPILER_AVG:
    return ReduceKind::Avg;
  case DTENSOR_COMPILER_MAX:
    return ReduceKind::Max;
  case DTENSOR_COMPILER_MIN:
    return ReduceKind::Min;
  case DTENSOR_COMPILER_PRODUCT:
    return ReduceKind::Product;
  default:
    return std::nullopt;
  }
}

static Expr readSize(dtensor_compiler_rule &rule, const char *size) {
  std::string why;
  std::optional<Expr> expr = parseExpr(size ? size : "", rule.context, &why);
  if (!expr) {
    rule.complain("its rule has a factor of size \"" +
                  llvm::Twine(size ? size : "") + "\": " + why);
    return Expr::constant(rule.context, 1);
  }
  expr->walkSymbols([&](llvm::StringRef name, SymbolKind kind) {
    if (kind == SymbolKind::Extent && !rule.symbols.contains(name))
      rule.complain("its rule has a factor of size " + expr->str() +
                    ", but no operand has the symbol " + name);
  });
  return *expr;
}

uint32_t dtensor_compiler_rule_factor(dtensor_compiler_rule *rule, int32_t kind,
                                      int32_t reduction, const char *size) {
  Factor factor;
  factor.size = readSize(*rule, size);
  if (kind == DTENSOR_COMPILER_FACTOR_REDUCTION)
    factor.kind = FactorKind::Reduction;
  else if (kind == DTENSOR_COMPILER_FACTOR_WHOLE)
    factor.kind = FactorKind::NeedReplication;
  else if (kind != DTENSOR_COMPILER_FACTOR_PARALLEL)
    rule->complain("its rule has a factor of kind " + llvm::Twine(kind));
  if (factor.kind == FactorKind::Reduction) {
    std::optional<ReduceKind> reduce = toReduceKind(reduction);
    if (!reduce)
      rule->complain("its rule has a reduction of kind " +
                     llvm::Twine(reduction));
    factor.reduce = reduce.value_or(ReduceKind::Sum);
  }
  rule->rule.factors.push_back(factor);
  return static_cast<uint32_t>(rule->rule.factors.size() - 1);
}

void dtensor_compiler_rule_operand(dtensor_compiler_rule *rule, size_t operand,
                                   size_t dim, const uint32_t *factors,
                                   size_t count) {
  rule->setDim(/*isResult=*/false, operand, dim, factors, count);
}

void dtensor_compiler_rule_result(dtensor_compiler_rule *rule, size_t result,
                                  size_t dim, const uint32_t *factors,
                                  size_t count) {
  rule->setDim(/*isResult=*/true, result, dim, factors, count);
}

void dtensor_compiler_rule_partial(dtensor_compiler_rule *rule,
                                   const int32_t *operands,
                                   const int32_t *results) {
  PartialSignature signature;
  auto read = [&](const int32_t *kinds, size_t count, auto &into) {
    for (size_t i = 0; i < count; ++i) {
      into.push_back(toReduceKind(kinds[i]));
      if (!into.back() && kinds[i] != DTENSOR_COMPILER_NONE)
        rule->complain("its rule has a reduction of kind " +
                       llvm::Twine(kinds[i]));
    }
  };
  read(operands, rule->rule.operands.size(), signature.operands);
  read(results, rule->rule.results.size(), signature.results);
  rule->rule.partials.push_back(std::move(signature));
}

int dtensor_compiler_rule_fail(dtensor_compiler_rule *rule,
                               const char *message) {
  rule->complain(message ? message : "the host has no rule for it");
  return 1;
}

static mlir::FailureOr<ShardingRule>
askRule(const dtensor_compiler_custom_op &definition, Operation *op,
        llvm::ArrayRef<llvm::SmallVector<Expr>> extents) {
  Description description(op);
  dtensor_compiler_rule rule(getExprContext(op->getContext()),
                             op->getOperandTypes(), op->getResultTypes());
  for (auto [type, sizes] : llvm::zip_equal(op->getOperandTypes(), extents)) {
    std::vector<std::string> texts;
    for (Expr size : sizes) {
      texts.push_back(size.str());
      size.walkSymbols(
          [&](llvm::StringRef name, SymbolKind) { rule.symbols.insert(name); });
    }
    description.addOperand(type, std::move(texts));
  }
  for (mlir::Type type : op->getResultTypes())
    description.addResult(type);
  if (definition.rule(definition.user, description.get(), &rule))
    rule.complain("the host has no rule for it");
  rule.checkComplete(/*isResult=*/false);
  rule.checkComplete(/*isResult=*/true);
  if (!rule.error.empty())
    return op->emitOpError() << "cannot be sharded: " << rule.error;
  return std::move(rule.rule);
}

//===----------------------------------------------------------------------===//
// Lowerings
//===----------------------------------------------------------------------===//

struct dtensor_compiler_text {
  std::string text;
};

void dtensor_compiler_text_append(dtensor_compiler_text *text,
                                  const char *part) {
  text->text += part;
}

static mlir::OwningOpRef<mlir::ModuleOp>
askLowering(const dtensor_compiler_custom_op &definition, Operation *op,
            mlir::TypeRange operands, mlir::TypeRange results) {
  Description description(op);
  for (mlir::Type type : operands)
    description.addOperand(type, extentsOf(type));
  for (mlir::Type type : results)
    description.addResult(type);
  dtensor_compiler_text text;
  if (definition.lower(definition.user, description.get(), &text)) {
    op->emitOpError() << "has no lowering: the host gave none";
    return nullptr;
  }
  std::string name = "lowering of " + op->getName().getStringRef().str();
  auto module = parseProgram(text.text, name, op->getContext());
  if (!module)
    op->emitOpError() << "has a lowering that cannot be parsed";
  return module;
}

llvm::LogicalResult capi::verifyLowerings(mlir::ModuleOp module,
                                          const CompileOptions &options) {
  if (options.emit <= Emit::Local)
    return llvm::success();
  mlir::WalkResult result = module.walk([](Operation *op) {
    const CustomOp *definition = getCustomOp(op);
    if (!definition || definition->lower)
      return mlir::WalkResult::advance();
    op->emitOpError() << "has no lowering: without one the program can be "
                         "compiled up to \"local\"";
    return mlir::WalkResult::interrupt();
  });
  return llvm::failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------===//

std::optional<CustomOp>
capi::readCustomOp(const dtensor_compiler_custom_op *op) {
  auto wrong = [&](const char *what) {
    (void)fail(DTENSOR_COMPILER_INVALID_ARGUMENT, what);
    return std::nullopt;
  };
  if (!op)
    return wrong("op is null");
  if (op->struct_size < sizeof(*op))
    return wrong("op.struct_size is too small");
  if (!op->name)
    return wrong("op.name is null");
  if (!op->rule)
    return wrong("op.rule is null");
  dtensor_compiler_custom_op definition = *op;
  definition.name = nullptr; // the caller's
  CustomOp result;
  result.name = op->name;
  result.getRule = [definition](Operation *asked, auto extents) {
    return askRule(definition, asked, extents);
  };
  if (op->lower)
    result.lower = [definition](Operation *asked, mlir::TypeRange operands,
                                mlir::TypeRange results) {
      return askLowering(definition, asked, operands, results);
    };
  return result;
}
