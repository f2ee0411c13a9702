//===- WindowUtils.cpp - what convolutions and pooling share --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WindowUtils.h"

using namespace mlir;

namespace dtensor {

ExtentList toExprs(MLIRContext *context, ArrayRef<int64_t> numbers) {
  ExtentList exprs;
  for (int64_t number : numbers)
    exprs.push_back(Expr::constant(getExprContext(context), number));
  return exprs;
}

ExtentList Windows::count(ArrayRef<Expr> extents, ArrayRef<Expr> kernel) const {
  ExtentList counts;
  for (unsigned i = 0; i < space(); ++i)
    counts.push_back(floordiv(extents[i] + 2 * padding[i] -
                                  (kernel[i] - 1) * dilation[i] - 1,
                              stride[i]) +
                     1);
  return counts;
}

FailureOr<Windows> windowsOf(Operation *op, unsigned space) {
  Windows windows;
  std::tuple<StringRef, int64_t, SmallVector<int64_t> *> parameters[] = {
      {"stride", 1, &windows.stride},
      {"padding", 0, &windows.padding},
      {"dilation", 1, &windows.dilation}};
  for (auto [name, least, list] : parameters) {
    auto attr = op->getAttrOfType<ArrayAttr>(name);
    *list = attr ? intList(attr) : SmallVector<int64_t>(space, least);
    if (list->size() != space)
      return op->emitOpError(name)
             << " has " << list->size() << " entries, expected " << space;
    for (int64_t number : *list)
      if (number < least || number > (int64_t(1) << 31))
        return op->emitOpError(name)
               << " is " << number << ", expected at least " << least;
  }
  return windows;
}

void checkWindows(CoreBuilder core, const Windows &windows,
                  ArrayRef<Expr> extents, ArrayRef<Expr> kernel) {
  for (unsigned i = 0; i < windows.space(); ++i)
    core.check("the length of a window",
               (kernel[i] - 1) * windows.dilation[i] + 1,
               extents[i] + 2 * windows.padding[i]);
}

static Value buildUnfold(CoreBuilder core, Value input, ArrayRef<Expr> sizes,
                         ArrayRef<Expr> kernel, ArrayRef<int64_t> stride,
                         ArrayRef<int64_t> dilation, ArrayRef<int64_t> offset,
                         ArrayRef<int64_t> divisor, TypedAttr value) {
  ExtentList extents = getExtents(input);
  SmallVector<int64_t> dims;
  for (auto [i, size] : llvm::enumerate(sizes)) {
    dims.push_back(extents.size() - sizes.size() + i);
    extents[dims.back()] = size;
  }
  llvm::append_range(extents, kernel);
  Builder &b = core.builder;
  return UnfoldOp::create(
      core.builder, core.loc,
      openType(input.getType(), scalarType(input), extents), input,
      b.getI64ArrayAttr(dims), core.list(sizes), core.list(kernel),
      b.getI64ArrayAttr(stride), b.getI64ArrayAttr(dilation),
      b.getI64ArrayAttr(offset), b.getI64ArrayAttr(divisor), value);
}

Value buildWindows(CoreBuilder core, Value input, const Windows &windows,
                   ArrayRef<Expr> kernel, TypedAttr value) {
  ExtentList extents = getExtents(input);
  SmallVector<int64_t> offset, ones(windows.space(), 1);
  for (int64_t padding : windows.padding)
    offset.push_back(-padding);
  ExtentList sizes =
      windows.count(ArrayRef(extents).take_back(windows.space()), kernel);
  return buildUnfold(core, input, sizes, kernel, windows.stride,
                     windows.dilation, offset, ones, value);
}

Value buildCovers(CoreBuilder core, Value windowed, const Windows &windows,
                  ArrayRef<Expr> sizes, ArrayRef<Expr> kernel,
                  TypedAttr value) {
  SmallVector<int64_t> dilation, ones(windows.space(), 1);
  for (int64_t step : windows.dilation)
    dilation.push_back(-step);
  return buildUnfold(core, windowed, sizes, kernel, ones, dilation,
                     windows.padding, windows.stride, value);
}

} // namespace dtensor
