//===- Patterns.cpp - What makes a program simpler ------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A change is made to a copy of a function, which stands in the program while
// the script looks at it. Most changes are attributes and types replaced by
// others: what no longer fits together does not verify and is not tried.
//
// Every pattern asks the script. The pass that applies them does so to the
// whole program first, and is lost if that is of no interest afterwards.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

using Change = llvm::function_ref<void(func::FuncOp, RewriterBase &)>;

namespace {
/// Tries changes of a function, until one leaves it of interest.
struct FunctionPattern : OpRewritePattern<func::FuncOp> {
  FunctionPattern(MLIRContext *context, Tester &tester)
      : OpRewritePattern(context), tester(tester) {}

protected:
  LogicalResult tryChange(func::FuncOp function, PatternRewriter &rewriter,
                          Change change) const;

private:
  Tester &tester;
};
} // namespace

LogicalResult FunctionPattern::tryChange(func::FuncOp function,
                                         PatternRewriter &rewriter,
                                         Change change) const {
  auto module = function->getParentOfType<ModuleOp>();
  if (!module)
    return failure();
  func::FuncOp changed = function.clone();
  IRRewriter plain(function.getContext());
  change(changed, plain);
  Block::iterator place = std::next(function->getIterator());
  Block *block = function->getBlock();
  block->getOperations().insert(place, changed);
  function->remove();
  // What does not verify is of no interest, and nothing to tell of.
  ScopedDiagnosticHandler quiet(function.getContext(),
                                [](Diagnostic &) { return success(); });
  bool isInteresting =
      succeeded(verify(module)) &&
      tester.isInteresting(module).first == Tester::Interestingness::True;
  block->getOperations().insert(changed->getIterator(), function);
  changed.erase();
  if (!isInteresting)
    return failure();
  rewriter.modifyOpInPlace(function, [&] { change(function, rewriter); });
  return success();
}

/// Replaces attributes and types in a whole function.
static void replaceIn(func::FuncOp function, AttrTypeReplacer &replacer) {
  replacer.recursivelyReplaceElementsIn(function, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

/// All attributes of kind T, or types, in the order of the text.
template <class T>
static llvm::SetVector<T> collect(func::FuncOp function) {
  llvm::SetVector<T> found;
  AttrTypeWalker walker;
  walker.addWalk([&](T element) { found.insert(element); });
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    walker.walk(op->getAttrDictionary());
    for (Type type : op->getResultTypes())
      walker.walk(type);
  });
  return found;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// An operand of `op` that could stand for its only result.
static Value findForwarded(Operation *op) {
  if (op->getNumResults() != 1 || op->use_empty() ||
      !isa<RankedTensorType>(op->getResult(0).getType()))
    return {};
  for (Value operand : op->getOperands())
    if (operand.getType() == op->getResult(0).getType())
      return operand;
  return {};
}

/// The ops of a function in the order of the text.
static SmallVector<Operation *> listOps(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  return ops;
}

namespace {
/// An op becomes an operand that has the type of its result.
struct ForwardOperand : FunctionPattern {
  using FunctionPattern::FunctionPattern;

  LogicalResult matchAndRewrite(func::FuncOp function,
                                PatternRewriter &rewriter) const override {
    for (auto [index, op] : llvm::enumerate(listOps(function)))
      if (findForwarded(op) &&
          succeeded(
              tryChange(function, rewriter,
                        [at = index](func::FuncOp it, RewriterBase &changer) {
                          Operation *op = listOps(it)[at];
                          changer.replaceOp(op, findForwarded(op));
                        })))
        return success();
    return failure();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

static LayoutAttr replicated(LayoutAttr layout) {
  SmallVector<Placement> whole(layout.getPlacements().size(),
                               Placement::replicate());
  return layout.withPlacements(whole);
}

namespace {
/// The layout of an argument or of a result replicates, then equal ones do
/// wherever they are.
struct Replicate : FunctionPattern {
  using FunctionPattern::FunctionPattern;

  LogicalResult matchAndRewrite(func::FuncOp function,
                                PatternRewriter &rewriter) const override {
    StringRef name = DTensorDialect::kLayoutAttr;
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto layout = function.getArgAttrOfType<LayoutAttr>(i, name);
      if (layout && layout != replicated(layout) &&
          succeeded(tryChange(function, rewriter,
                              [&](func::FuncOp it, RewriterBase &) {
                                it.setArgAttr(i, name, replicated(layout));
                              })))
        return success();
    }
    for (unsigned i = 0; i < function.getNumResults(); ++i) {
      auto layout = function.getResultAttrOfType<LayoutAttr>(i, name);
      if (layout && layout != replicated(layout) &&
          succeeded(tryChange(function, rewriter,
                              [&](func::FuncOp it, RewriterBase &) {
                                it.setResultAttr(i, name, replicated(layout));
                              })))
        return success();
    }
    for (LayoutAttr layout : collect<LayoutAttr>(function)) {
      AttrTypeReplacer replacer;
      replacer.addReplacement([&](LayoutAttr it) -> Attribute {
        return it == layout ? replicated(it) : it;
      });
      if (layout != replicated(layout) &&
          succeeded(tryChange(function, rewriter,
                              [&](func::FuncOp it, RewriterBase &) {
                                replaceIn(it, replacer);
                              })))
        return success();
    }
    return failure();
  }
};

/// A mesh of several axes loses one.
struct DropAxis : FunctionPattern {
  using FunctionPattern::FunctionPattern;

  LogicalResult matchAndRewrite(func::FuncOp function,
                                PatternRewriter &rewriter) const override {
    for (MeshAttr mesh : collect<MeshAttr>(function))
      for (unsigned axis = 0, count = mesh.getMesh().getNumAxes();
           count > 1 && axis < count; ++axis)
        if (succeeded(dropAxis(function, mesh, axis, rewriter)))
          return success();
    return failure();
  }

private:
  static MeshAttr without(MeshAttr mesh, unsigned axis) {
    SmallVector<MeshAxis> axes(mesh.getMesh().getAxes());
    axes.erase(axes.begin() + axis);
    return MeshAttr::get(mesh.getContext(), Mesh(axes));
  }

  static LayoutAttr without(LayoutAttr attr, unsigned axis) {
    Layout layout = attr.getLayout();
    SmallVector<unsigned> order;
    for (unsigned it : layout.order)
      if (it != axis)
        order.push_back(it - (it > axis));
    layout.placements.erase(layout.placements.begin() + axis);
    return LayoutAttr::get(without(attr.getMesh(), axis),
                           Layout(layout.placements, layout.extents, order));
  }

  LogicalResult dropAxis(func::FuncOp function, MeshAttr mesh, unsigned axis,
                         PatternRewriter &rewriter) const {
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](MeshAttr it) -> Attribute {
      return it == mesh ? without(it, axis) : it;
    });
    replacer.addReplacement([&](LayoutAttr it) {
      return it.getMesh() == mesh
                 ? std::pair<Attribute, WalkResult>(without(it, axis),
                                                    WalkResult::skip())
                 : std::pair<Attribute, WalkResult>(it, WalkResult::advance());
    });
    return tryChange(function, rewriter, [&](func::FuncOp it, RewriterBase &) {
      replaceIn(it, replacer);
    });
  }
};

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Wherever a dimension has one size, it gets a smaller one: 1, 2, or half.
struct ShrinkSize : FunctionPattern {
  using FunctionPattern::FunctionPattern;

  LogicalResult matchAndRewrite(func::FuncOp function,
                                PatternRewriter &rewriter) const override {
    llvm::SetVector<int64_t> sizes;
    for (RankedTensorType type : collect<RankedTensorType>(function))
      for (int64_t size : type.getShape())
        if (!ShapedType::isDynamic(size) && size > 1)
          sizes.insert(size);
    for (int64_t size : sizes)
      for (int64_t smaller : {int64_t(1), int64_t(2), size / 2})
        if (smaller < size &&
            succeeded(shrink(function, size, smaller, rewriter)))
          return success();
    return failure();
  }

private:
  static LayoutAttr withSize(LayoutAttr layout, int64_t from, int64_t to) {
    SmallVector<Expr> extents(layout.getExtents());
    for (Expr &extent : extents)
      if (extent.isConstant(from))
        extent = Expr::constant(extent.getContext(), to);
    return layout.withExtents(extents);
  }

  static RankedTensorType withSize(RankedTensorType type, int64_t from,
                                   int64_t to) {
    SmallVector<int64_t> shape(type.getShape());
    std::replace(shape.begin(), shape.end(), from, to);
    Attribute encoding = type.getEncoding();
    if (auto layout = dyn_cast_if_present<LayoutAttr>(encoding))
      encoding = withSize(layout, from, to);
    return RankedTensorType::get(shape, type.getElementType(), encoding);
  }

  LogicalResult shrink(func::FuncOp function, int64_t from, int64_t to,
                       PatternRewriter &rewriter) const {
    AttrTypeReplacer replacer;
    replacer.addReplacement(
        [&](LayoutAttr it) -> Attribute { return withSize(it, from, to); });
    replacer.addReplacement([&](RankedTensorType it) {
      return std::pair<Type, WalkResult>(withSize(it, from, to),
                                         WalkResult::skip());
    });
    return tryChange(function, rewriter, [&](func::FuncOp it, RewriterBase &) {
      replaceIn(it, replacer);
    });
  }
};

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

/// A result goes, with the ops that only it needs; an argument that nothing
/// reads goes.
struct DropFromSignature : FunctionPattern {
  using FunctionPattern::FunctionPattern;

  LogicalResult matchAndRewrite(func::FuncOp function,
                                PatternRewriter &rewriter) const override {
    if (function.isExternal())
      return failure();
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      if (succeeded(tryChange(function, rewriter,
                              [&](func::FuncOp it, RewriterBase &changer) {
                                dropResult(it, i, changer);
                              })))
        return success();
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (function.getArgument(i).use_empty() &&
          succeeded(tryChange(function, rewriter,
                              [&](func::FuncOp it, RewriterBase &) {
                                (void)it.eraseArgument(i);
                              })))
        return success();
    return failure();
  }

private:
  static void dropResult(func::FuncOp function, unsigned index,
                         RewriterBase &rewriter) {
    for (auto op : function.getOps<func::ReturnOp>())
      op->eraseOperand(index);
    (void)function.eraseResult(index);
    auto ops = llvm::map_to_vector(function.front().without_terminator(),
                                   [](Operation &op) { return &op; });
    // Users before what they use.
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op))
        rewriter.eraseOp(op);
  }
};
} // namespace

void dtensor::populateReductions(RewritePatternSet &patterns, Tester &tester) {
  patterns
      .add<DropFromSignature, ForwardOperand, Replicate, DropAxis, ShrinkSize>(
          patterns.getContext(), tester);
}
