//===- EntryBind.cpp - Symbols from shapes, and launch checks -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Order: sizes that are numbers, then symbols, then facts about symbols, then
// all other extents. A check relies only on those before it, so that the first
// one that fails is the cause.
//
//===----------------------------------------------------------------------===//

#include "EntryEmitter.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include "llvm/IR/Module.h"

using namespace dtensor;
using namespace llvm;

namespace {
/// int32_t bind(shapes, scalars, axisSizes, symbols, values)
class BindEmitter {
public:
  BindEmitter(Module &module, Entry &entry)
      : entry(entry), builder(module.getContext()), emitter(builder, entry) {
    llvm::Type *pointer = builder.getPtrTy();
    function =
        createEntryFunction(module, entry.getBindName(), builder.getInt32Ty(),
                            {pointer, pointer, pointer, pointer, pointer});
    builder.SetInsertPoint(
        BasicBlock::Create(module.getContext(), "entry", function));
    emitter.axisSizes = function->getArg(2);
    emitter.symbols = function->getArg(3);
  }

  void emit() {
    checkNumbers();
    bindSymbols();
    for (const std::string &symbol : entry.symbols)
      checkFacts(symbol);
    checkExtents();
    builder.CreateRet(builder.getInt32(0));
  }

private:
  llvm::Value *loadShape(unsigned argument, unsigned dim) {
    llvm::Value *shape = builder.CreateLoad(
        builder.getPtrTy(),
        builder.CreateConstInBoundsGEP1_64(builder.getPtrTy(),
                                           function->getArg(0), argument));
    return emitter.load(shape, dim);
  }

  static std::string placeOf(const EntryValue &value, unsigned dim) {
    return ("argument \"" + value.name + "\" dim " + Twine(dim)).str();
  }

  void require(llvm::Value *condition, const Twine &text, llvm::Value *lhs,
               llvm::Value *rhs) {
    entry.checks.push_back(text.str());
    LLVMContext &context = builder.getContext();
    auto *broken = BasicBlock::Create(context, "broken", function);
    auto *next = BasicBlock::Create(context, "next", function);
    builder.CreateCondBr(condition, next, broken);
    builder.SetInsertPoint(broken);
    fail(lhs, rhs, builder.getInt32(entry.checks.size()));
    builder.SetInsertPoint(next);
  }

  // `check` is counted from 1.
  void fail(llvm::Value *lhs, llvm::Value *rhs, llvm::Value *check) {
    builder.CreateStore(lhs, emitter.at(function->getArg(4), 0));
    builder.CreateStore(rhs, emitter.at(function->getArg(4), 1));
    builder.CreateRet(check);
  }

  // A table of argument, dim and size, and a loop: models have many weights.
  void checkNumbers() {
    SmallVector<uint64_t> table;
    for (auto [index, value] : llvm::enumerate(entry.arguments))
      for (unsigned dim = 0; dim < value.layout.getRank(); ++dim)
        if (int64_t size = value.shape[dim];
            !mlir::ShapedType::isDynamic(size)) {
          table.append({index, dim, static_cast<uint64_t>(size)});
          entry.checks.push_back(placeOf(value, dim) + " is {0}, expected {1}");
        }
    if (!table.empty())
      emitLoop(table);
  }

  void emitLoop(ArrayRef<uint64_t> table) {
    LLVMContext &context = builder.getContext();
    auto *data = ConstantDataArray::get(context, table);
    auto *global = new GlobalVariable(
        *function->getParent(), data->getType(), /*isConstant=*/true,
        GlobalValue::InternalLinkage, data, "bind.sizes");
    BasicBlock *entryBlock = builder.GetInsertBlock();
    auto *loop = BasicBlock::Create(context, "loop", function);
    auto *broken = BasicBlock::Create(context, "broken", function);
    auto *latch = BasicBlock::Create(context, "latch", function);
    auto *done = BasicBlock::Create(context, "next", function);
    builder.CreateBr(loop);
    builder.SetInsertPoint(loop);
    llvm::Type *i64 = builder.getInt64Ty();
    PHINode *row = builder.CreatePHI(i64, 2);
    row->addIncoming(builder.getInt64(0), entryBlock);
    llvm::Value *place = builder.CreateInBoundsGEP(
        i64, global, builder.CreateMul(row, builder.getInt64(3)));
    llvm::Value *shape = builder.CreateLoad(
        builder.getPtrTy(),
        builder.CreateInBoundsGEP(builder.getPtrTy(), function->getArg(0),
                                  emitter.load(place, 0)));
    llvm::Value *size = builder.CreateLoad(
        i64, builder.CreateInBoundsGEP(i64, shape, emitter.load(place, 1)));
    llvm::Value *expected = emitter.load(place, 2);
    llvm::Value *number = builder.CreateAdd(row, builder.getInt64(1));
    builder.CreateCondBr(builder.CreateICmpEQ(size, expected), latch, broken);
    builder.SetInsertPoint(broken);
    fail(size, expected, builder.CreateTrunc(number, builder.getInt32Ty()));
    builder.SetInsertPoint(latch);
    row->addIncoming(number, latch);
    llvm::Value *isLast =
        builder.CreateICmpEQ(number, builder.getInt64(table.size() / 3));
    builder.CreateCondBr(isLast, done, loop);
    builder.SetInsertPoint(done);
  }

  void bindSymbols() {
    for (auto [index, value] : llvm::enumerate(entry.arguments)) {
      if (value.isScalar && !value.symbol.empty())
        bind(value.symbol, "argument \"" + value.name + "\"",
             [&, index = index] {
               return emitter.load(function->getArg(1), index);
             });
      for (unsigned dim = 0; dim < value.layout.getRank(); ++dim)
        if (auto name = value.layout.extents[dim].getSymbolName())
          bind(*name, placeOf(value, dim),
               [&, index = index] { return loadShape(index, dim); });
    }
  }

  // The first place gives the value, all later ones must agree.
  void bind(StringRef symbol, const Twine &place,
            function_ref<llvm::Value *()> load) {
    auto position = llvm::find(entry.symbols, symbol);
    if (position == entry.symbols.end())
      return;
    llvm::Value *slot =
        emitter.at(function->getArg(3), position - entry.symbols.begin());
    std::string &first = places[symbol];
    llvm::Value *value = load();
    if (first.empty()) {
      first = place.str();
      builder.CreateStore(value, slot);
      return;
    }
    llvm::Value *bound = builder.CreateLoad(builder.getInt64Ty(), slot);
    require(builder.CreateICmpEQ(bound, value),
            "symbol \"" + symbol + "\" is {0} from " + first + ", but " +
                place + " is {1}",
            bound, value);
  }

  void checkFacts(StringRef symbol) {
    SymbolFacts none;
    const SymbolFacts *facts = entry.facts.lookupSymbol(symbol);
    if (!facts)
      facts = &none;
    llvm::Value *value = emitter.symbol(symbol, SymbolKind::Extent);
    std::string prefix = ("symbol \"" + symbol + "\" is {0}, ").str();
    llvm::Value *min = builder.getInt64(facts->min);
    require(builder.CreateICmpSGE(value, min),
            prefix + "less than its minimum {1}", value, min);
    if (facts->max) {
      llvm::Value *max = builder.getInt64(*facts->max);
      require(builder.CreateICmpSLE(value, max),
              prefix + "greater than its maximum {1}", value, max);
    }
    if (facts->multipleOf > 1)
      checkMultiple(prefix + "not a multiple of {1}", value,
                    builder.getInt64(facts->multipleOf));
    if (!facts->multipleOfAxis.empty())
      checkMultiple(
          prefix + "not a multiple of the size {1} of axis \"" +
              facts->multipleOfAxis + "\"",
          value, emitter.symbol(facts->multipleOfAxis, SymbolKind::AxisSize));
  }

  void checkMultiple(const Twine &text, llvm::Value *value,
                     llvm::Value *divisor) {
    llvm::Value *rest = emitter.binary(BinaryKind::Mod, value, divisor);
    require(builder.CreateICmpEQ(rest, builder.getInt64(0)), text, value,
            divisor);
  }

  // Extents that are neither one symbol nor the number that the type has.
  void checkExtents() {
    for (auto [index, value] : llvm::enumerate(entry.arguments))
      for (unsigned dim = 0; dim < value.layout.getRank(); ++dim) {
        Expr extent = value.layout.extents[dim];
        if (extent.getSymbolName() || extent.getConstant())
          continue;
        llvm::Value *size = loadShape(index, dim);
        llvm::Value *expected = foldExpr<llvm::Value *>(extent, emitter);
        require(builder.CreateICmpEQ(size, expected),
                placeOf(value, dim) + " is {0}, expected " + extent.str() +
                    " = {1}",
                size, expected);
      }
  }

  Entry &entry;
  IRBuilder<> builder;
  ExprEmitter emitter;
  Function *function;
  StringMap<std::string> places;
};
} // namespace

void dtensor::emitBind(Module &module, Entry &entry) {
  BindEmitter(module, entry).emit();
}
