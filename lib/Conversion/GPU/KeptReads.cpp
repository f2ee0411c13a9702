//===- KeptReads.cpp - What all rows of a cluster share -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeptReads.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace dtensor;

// Of the 48 KiB that a kernel may declare; messages and totals have the rest.
static constexpr int64_t kMaxBytes = 40 << 10;

Value KeptReads::getSlot(unsigned number) {
  return memory.add(memory.index(number * kClusterThreads), layout.getThread());
}

bool KeptReads::has(const Access &access) const {
  return llvm::any_of(
      all, [&](const Kept &known) { return known.access == access; });
}

void KeptReads::keep(const Access &access, unsigned operand,
                     ArrayRef<Place> places) {
  if (layout.isOfRow(access.map) || !layout.isOfAllRows(access.map) ||
      has(access) ||
      !memory.isOneAccess(layout.getIndices(access.map, places.front())))
    return;
  Type element = getMemoryType(getElementTypeOrSelf(access.tensor));
  int64_t size = kClusterThreads * memory.getNumLanes() *
                 element.getIntOrFloatBitWidth() / 8;
  places = places.take_front((kMaxBytes - bytes) / size);
  if (places.empty())
    return;
  bytes += size * places.size();
  Value buffer;
  for (auto [number, place] : llvm::enumerate(places)) {
    Value raw = memory.loadRaw(operand, layout.getIndices(access.map, place));
    if (!buffer)
      buffer =
          addShared(kernel, raw.getType(), kClusterThreads * places.size());
    memref::StoreOp::create(memory.getBuilder(), memory.getLoc(), raw, buffer,
                            getSlot(number));
  }
  all.push_back({access, buffer, static_cast<unsigned>(places.size())});
}

std::optional<Lanes> KeptReads::load(const Access &access, unsigned number) {
  for (const Kept &known : all) {
    if (!(known.access == access) || number >= known.count)
      continue;
    Value raw = memref::LoadOp::create(memory.getBuilder(), memory.getLoc(),
                                       known.buffer, getSlot(number));
    return memory.unpack(raw, getElementTypeOrSelf(access.tensor));
  }
  return std::nullopt;
}
