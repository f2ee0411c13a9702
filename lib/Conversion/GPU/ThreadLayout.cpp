//===- ThreadLayout.cpp - Where the threads of a kernel work --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Small arithmetic
//===----------------------------------------------------------------------===//

Value ThreadLayout::i32(int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 32);
}
Value ThreadLayout::toI32(Value value) {
  return arith::IndexCastOp::create(builder, loc, builder.getI32Type(), value);
}
// Numbers that are not negative as 32 bits.
Value ThreadLayout::toIndex(Value value) {
  return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(),
                                      value);
}
static Value less(OpBuilder &builder, Location loc, Value lhs, Value rhs) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, lhs,
                               rhs);
}

static int64_t maskOf(const DimGroup &group) {
  int64_t mask = 0;
  for (unsigned dim : group)
    mask |= int64_t(1) << dim;
  return mask;
}

//===----------------------------------------------------------------------===//
// Threads and rows
//===----------------------------------------------------------------------===//

// Sets thread, threads (of a row), row (as i32) and chunk.
void ThreadLayout::locateThread() {
  Value id = toI32(gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x));
  Value block = toI32(gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x));
  if (schedule.geometry == Geometry::Columns) {
    Value column =
        arith::AndIOp::create(builder, loc, id, i32(kColumnRows - 1));
    thread = toIndex(arith::ShRUIOp::create(builder, loc, id, i32(5)));
    threads = i32(kColumnThreads);
    row = arith::MulIOp::create(builder, loc, block, i32(kColumnRows));
    row = arith::AddIOp::create(builder, loc, row, column);
    return;
  }
  Value log = memory.getParam({ParamKind::LogThreads});
  threads = arith::ShLIOp::create(builder, loc, i32(1), log);
  if (schedule.geometry == Geometry::Cluster) {
    row = arith::DivUIOp::create(builder, loc, block, i32(kClusterBlocks));
    Value part =
        arith::RemUIOp::create(builder, loc, block, i32(kClusterBlocks));
    thread = arith::ShLIOp::create(builder, loc, part, log);
    thread = toIndex(arith::AddIOp::create(builder, loc, thread, id));
    return;
  }
  Value mask = arith::SubIOp::create(builder, loc, threads, i32(1));
  thread = toIndex(arith::AndIOp::create(builder, loc, id, mask));
  Value inBlock = arith::ShRUIOp::create(builder, loc, id, log);
  Value size = toI32(gpu::BlockDimOp::create(builder, loc, gpu::Dimension::x));
  size = arith::ShRUIOp::create(builder, loc, size, log);
  if (schedule.geometry == Geometry::Chunks) {
    Value chunks = toI32(memory.getParam({ParamKind::Chunks}));
    Value rest = arith::RemUIOp::create(builder, loc, block, chunks);
    block = arith::DivUIOp::create(builder, loc, block, chunks);
    chunk = toIndex(rest);
  }
  row = arith::MulIOp::create(builder, loc, block, size);
  row = arith::AddIOp::create(builder, loc, row, inBlock);
}

void ThreadLayout::locateRow(unsigned numDims) {
  Value count = memory.getParam({ParamKind::Extent, space.rowMask()});
  if (space.rows.empty())
    count = memory.index(1);
  active = less(builder, loc, toIndex(row), count);
  row = arith::SelectOp::create(builder, loc, active, row, i32(0));
  rowPlace.positions.assign(numDims, Lanes(memory.index(0)));
  Value rest = row;
  for (unsigned i = space.rows.size(); i-- > 0;) {
    const DimGroup &group = space.rows[i];
    Value position = rest;
    if (i != 0) {
      Value extent = toI32(memory.getParam({ParamKind::Extent, maskOf(group)}));
      position = arith::RemUIOp::create(builder, loc, rest, extent);
      rest = arith::DivUIOp::create(builder, loc, rest, extent);
    }
    rowPlace.positions[group.back()] = Lanes(toIndex(position));
  }
  innerExtent = space.inner.empty()
                    ? memory.index(1)
                    : memory.getParam({ParamKind::Extent, space.innerMask()});
}

Value ThreadLayout::isFirstOfRow() {
  auto isZero = [&](Value value) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value,
                                 memory.index(0));
  };
  Value first = isZero(thread);
  return chunk ? memory.both(first, isZero(chunk)) : first;
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Place ThreadLayout::createPlace(Value first) {
  Place place;
  place.positions = rowPlace.positions;
  Value rest = first;
  for (unsigned i = space.inner.size(); i-- > 0;) {
    const DimGroup &group = space.inner[i];
    Lanes position(rest);
    if (i != 0) {
      Value extent = memory.getParam({ParamKind::Extent, maskOf(group)});
      position = Lanes(arith::RemUIOp::create(builder, loc, rest, extent));
      rest = arith::DivUIOp::create(builder, loc, rest, extent);
    }
    position.iota = space.lanes > 1;
    place.positions[group.back()] = position;
  }
  return place;
}

Value ThreadLayout::totalThreads() {
  Value total = toIndex(threads);
  if (schedule.geometry == Geometry::Cluster)
    total = memory.mul(total, memory.index(kClusterBlocks));
  return total;
}

Value ThreadLayout::getStart() {
  return memory.mul(thread, memory.index(space.lanes));
}
Value ThreadLayout::getStep() {
  return memory.mul(totalThreads(), memory.index(space.lanes));
}

std::vector<Place> ThreadLayout::createPlaces() {
  std::vector<Place> places;
  Value total = totalThreads();
  for (unsigned c = 0; c < schedule.chunks; ++c) {
    Value number = memory.index(c);
    if (chunk)
      number =
          memory.add(memory.mul(chunk, memory.index(schedule.chunks)), number);
    Value first = memory.add(memory.mul(number, total), thread);
    first = memory.mul(first, memory.index(space.lanes));
    Value exists = less(builder, loc, first, innerExtent);
    first =
        arith::SelectOp::create(builder, loc, exists, first, memory.index(0));
    places.push_back(createPlace(first));
    places.back().predicate = exists;
  }
  return places;
}
