//===- ThreadLayout.cpp - Where the threads of a kernel work --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadLayout.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

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
  if (schedule.geometry == Geometry::Cluster) {
    thread = toIndex(id);
    threads = toI32(gpu::BlockDimOp::create(builder, loc, gpu::Dimension::x));
    locateShare();
    return;
  }
  Value log = memory.getParam({ParamKind::LogThreads});
  threads = arith::ShLIOp::create(builder, loc, i32(1), log);
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

void ThreadLayout::locateShare() {
  readInnerExtent();
  part = gpu::ClusterBlockIdOp::create(builder, loc, gpu::Dimension::x);
  Value blocks =
      gpu::ClusterDimBlocksOp::create(builder, loc, gpu::Dimension::x);
  Value count = arith::CeilDivUIOp::create(builder, loc, innerExtent,
                                           memory.index(space.lanes));
  Value share = arith::CeilDivUIOp::create(builder, loc, count, blocks);
  shareBegin = memory.mul(part, share);
  shareEnd = arith::MinUIOp::create(builder, loc, count,
                                    memory.add(shareBegin, share));
}

Value ThreadLayout::getRowCount() {
  if (space.rows.empty())
    return memory.index(1);
  return memory.getParam({ParamKind::Extent, space.rowMask()});
}

SmallVector<Value, 3> ThreadLayout::getRows() {
  Value number = gpu::ClusterIdOp::create(builder, loc, gpu::Dimension::x);
  Value clusters = gpu::ClusterDimOp::create(builder, loc, gpu::Dimension::x);
  return {number, getRowCount(), clusters};
}

void ThreadLayout::locateRow(unsigned numDims) {
  active = less(builder, loc, toIndex(row), getRowCount());
  row = arith::SelectOp::create(builder, loc, active, row, i32(0));
  readInnerExtent();
  placeRow(row, numDims);
}

void ThreadLayout::enterRow(Value number, unsigned numDims) {
  rowPlace = Place();
  placeRow(toI32(number), numDims);
}

void ThreadLayout::forgetThread() {
  Type i64 = builder.getI64Type();
  Value same = arith::IndexCastOp::create(builder, loc, i64, thread);
  same = LLVM::InlineAsmOp::create(
             builder, loc, i64, same, /*asm_string=*/"",
             /*constraints=*/"=l,0", /*has_side_effects=*/true,
             /*is_align_stack=*/false, LLVM::TailCallKind::None,
             LLVM::AsmDialectAttr(), ArrayAttr())
             .getResult(0);
  thread =
      arith::IndexCastOp::create(builder, loc, builder.getIndexType(), same);
}

void ThreadLayout::placeRow(Value number, unsigned numDims) {
  rowPlace.positions.assign(numDims, Lanes(memory.index(0)));
  Value rest = number;
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
}

void ThreadLayout::readInnerExtent() {
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
  if (part)
    return memory.both(first, isZero(part));
  return chunk ? memory.both(first, isZero(chunk)) : first;
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Place ThreadLayout::createPlace(Value first, Value exists) {
  first = arith::SelectOp::create(builder, loc, exists, first, memory.index(0));
  Place place = createPlace(first);
  place.predicate = exists;
  return place;
}

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

SmallVector<Lanes> ThreadLayout::getIndices(AffineMap map, const Place &place) {
  SmallVector<Lanes> indices;
  SmallVector<Value> firsts;
  for (const Lanes &position : place.positions)
    firsts.push_back(position.get(0));
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(place.positions[dim.getPosition()]);
    else
      indices.push_back(
          Lanes(affine::expandAffineExpr(builder, loc, expr, firsts, {})));
  }
  return indices;
}

static bool dependsOn(AffineMap map, ArrayRef<DimGroup> groups) {
  return llvm::any_of(groups, [&](const DimGroup &group) {
    return llvm::any_of(group,
                        [&](unsigned dim) { return map.isFunctionOfDim(dim); });
  });
}

bool ThreadLayout::isOfRow(AffineMap map) const {
  return !dependsOn(map, space.inner);
}
bool ThreadLayout::isOfAllRows(AffineMap map) const {
  return !dependsOn(map, space.rows);
}

Value ThreadLayout::getStart() {
  return memory.mul(thread, memory.index(space.lanes));
}
Value ThreadLayout::getStep() {
  return memory.mul(toIndex(threads),
                    memory.index(space.lanes * schedule.chunks));
}

std::vector<Place> ThreadLayout::createPlaces() {
  std::vector<Place> places;
  Value total = toIndex(threads);
  for (unsigned c = 0; c < schedule.chunks; ++c) {
    Value number = memory.index(c);
    if (chunk)
      number =
          memory.add(memory.mul(chunk, memory.index(schedule.chunks)), number);
    Value vector = memory.add(memory.mul(number, total), thread);
    if (part)
      vector = memory.add(vector, shareBegin);
    Value first = memory.mul(vector, memory.index(space.lanes));
    Value exists = part ? less(builder, loc, vector, shareEnd)
                        : less(builder, loc, first, innerExtent);
    places.push_back(createPlace(first, exists));
  }
  return places;
}

std::vector<Place> ThreadLayout::createPlaces(Value first) {
  std::vector<Place> places = {createPlace(first)};
  Value apart = memory.mul(toIndex(threads), memory.index(space.lanes));
  for (unsigned c = 1; c < schedule.chunks; ++c) {
    first = memory.add(first, apart);
    places.push_back(
        createPlace(first, less(builder, loc, first, innerExtent)));
  }
  return places;
}
