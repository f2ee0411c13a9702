//===- Variant.cpp - Kernels and when they may run ------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Variant.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace dtensor;

DictionaryAttr Variant::toAttr() const {
  Builder builder(kernel.getContext());
  SmallVector<int64_t> flatParams, flatConditions;
  for (const Param &param : params)
    flatParams.append({static_cast<int64_t>(param.kind), param.a, param.b});
  for (const Condition &c : conditions)
    flatConditions.append({static_cast<int64_t>(c.kind), c.a, c.b, c.c});
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("kernel", kernel),
       builder.getNamedAttr("shape", builder.getDenseI64ArrayAttr(
                                         {static_cast<int64_t>(geometry), rows,
                                          inner, perThread, maxThreads})),
       builder.getNamedAttr("params", builder.getDenseI64ArrayAttr(flatParams)),
       builder.getNamedAttr("conditions",
                            builder.getDenseI64ArrayAttr(flatConditions))});
}

Variant Variant::fromAttr(DictionaryAttr attr) {
  Variant result;
  result.kernel = attr.getAs<SymbolRefAttr>("kernel");
  ArrayRef<int64_t> shape = attr.getAs<DenseI64ArrayAttr>("shape").asArrayRef();
  result.geometry = static_cast<Geometry>(shape[0]);
  result.rows = shape[1];
  result.inner = shape[2];
  result.perThread = shape[3];
  result.maxThreads = shape[4];
  ArrayRef<int64_t> params =
      attr.getAs<DenseI64ArrayAttr>("params").asArrayRef();
  for (; !params.empty(); params = params.drop_front(3))
    result.params.push_back(
        {static_cast<ParamKind>(params[0]), params[1], params[2]});
  ArrayRef<int64_t> conditions =
      attr.getAs<DenseI64ArrayAttr>("conditions").asArrayRef();
  for (; !conditions.empty(); conditions = conditions.drop_front(4))
    result.conditions.push_back({static_cast<ConditionKind>(conditions[0]),
                                 conditions[1], conditions[2], conditions[3]});
  return result;
}
