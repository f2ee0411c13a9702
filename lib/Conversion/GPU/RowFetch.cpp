//===- RowFetch.cpp - The next row of a cluster ---------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowFetch.h"

using namespace mlir;
using namespace dtensor;

void RowFetch::add(const Access &access, unsigned operand, const Place &place) {
  for (const Fetched &known : all)
    if (known.access == access)
      return;
  if (memory.isOneAccess(layout.getIndices(access.map, place)))
    all.push_back({access, operand, layout.isOfRow(access.map)});
}

SmallVector<Value> RowFetch::start(ArrayRef<Place> places) {
  SmallVector<Value> raws;
  for (const Fetched &one : all) {
    auto read = [&](const Place &place) {
      raws.push_back(memory.loadRaw(one.operand,
                                    layout.getIndices(one.access.map, place)));
    };
    if (one.isOfRow)
      read(layout.rowPlace);
    else
      llvm::for_each(places, read);
  }
  return raws;
}

void RowFetch::give(ValueRange raws, MutableArrayRef<Place> places) {
  for (const Fetched &one : all) {
    Type element = getElementTypeOrSelf(one.access.tensor);
    auto take = [&](Place &place) {
      place.loads.push_back({one.access, memory.unpack(raws.front(), element)});
      raws = raws.drop_front();
    };
    if (one.isOfRow)
      take(layout.rowPlace);
    else
      llvm::for_each(places, take);
  }
}
