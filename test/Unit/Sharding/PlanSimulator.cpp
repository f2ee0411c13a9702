//===- PlanSimulator.cpp - Runs plans on arrays ---------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanSimulator.h"
#include "llvm/ADT/STLExtras.h"

#include <functional>
#include <numeric>

using namespace dtensor;
using namespace dtensor::test;

static int64_t volume(const Numbers &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

/// Elements before, along and behind `dim`.
static int64_t volumeBehind(const Numbers &shape, unsigned dim) {
  return volume(Numbers(shape.begin() + dim + 1, shape.end()));
}

Array dtensor::test::slice(const Array &array, unsigned dim, int64_t offset,
                           int64_t size) {
  Array result;
  result.shape = array.shape;
  result.shape[dim] = size;
  int64_t inner = volumeBehind(array.shape, dim);
  int64_t outer =
      volume(Numbers(array.shape.begin(), array.shape.begin() + dim));
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t j = offset; j < offset + size; ++j)
      for (int64_t k = 0; k < inner; ++k)
        result.data.push_back(
            array.data.at((i * array.shape[dim] + j) * inner + k));
  return result;
}

Array dtensor::test::concat(const std::vector<Array> &arrays, unsigned dim) {
  Array result;
  result.shape = arrays.front().shape;
  result.shape[dim] = 0;
  for (const Array &array : arrays)
    result.shape[dim] += array.shape[dim];
  int64_t outer =
      volume(Numbers(result.shape.begin(), result.shape.begin() + dim));
  for (int64_t i = 0; i < outer; ++i)
    for (const Array &array : arrays) {
      int64_t run = array.shape[dim] * volumeBehind(array.shape, dim);
      result.data.insert(result.data.end(), array.data.begin() + i * run,
                         array.data.begin() + (i + 1) * run);
    }
  return result;
}

static int64_t combine(int64_t lhs, int64_t rhs, ReduceKind kind) {
  if (kind == ReduceKind::Max)
    return std::max(lhs, rhs);
  if (kind == ReduceKind::Min)
    return std::min(lhs, rhs);
  return kind == ReduceKind::Product ? lhs * rhs : lhs + rhs;
}

static int64_t neutral(ReduceKind kind) {
  if (kind == ReduceKind::Max)
    return std::numeric_limits<int64_t>::min();
  if (kind == ReduceKind::Min)
    return std::numeric_limits<int64_t>::max();
  return kind == ReduceKind::Product;
}

Array dtensor::test::reduce(const std::vector<Array> &arrays, ReduceKind kind) {
  Array result = arrays.front();
  for (const Array &array : llvm::drop_begin(arrays))
    for (size_t i = 0; i < result.data.size(); ++i)
      result.data[i] = combine(result.data[i], array.data.at(i), kind);
  if (kind == ReduceKind::Avg)
    for (int64_t &value : result.data)
      value /= static_cast<int64_t>(arrays.size());
  return result;
}

PlanSimulator::PlanSimulator(const Mesh &mesh, Numbers sizes, Numbers extents)
    : mesh(mesh), sizes(std::move(sizes)), ranks(allCoordinates(this->sizes)) {
  tensor.shape = std::move(extents);
  for (int64_t i = 0; i < volume(tensor.shape); ++i)
    tensor.data.push_back(1 + (i * 7919) % 1009);
}

const std::vector<PlanSimulator::Box> &
PlanSimulator::boxesOf(const Layout &layout, ExprContext &context) const {
  auto [entry, isNew] = boxes.try_emplace(layout.str());
  if (!isNew)
    return entry->second;
  auto extent = [&](llvm::StringRef name) -> std::optional<int64_t> {
    return tensor.shape.at(name[1] - '0');
  };
  entry->second.resize(ranks.size());
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    LocalDim local = localDim(mesh, layout, dim, context);
    auto value = [&](Expr expr, const Numbers &rank) {
      return valueOn(expr, mesh, sizes, rank, extent);
    };
    for (unsigned rank = 0; rank < ranks.size(); ++rank) {
      entry->second[rank].offsets.push_back(value(local.offset, ranks[rank]));
      entry->second[rank].sizes.push_back(value(local.size, ranks[rank]));
    }
  }
  return entry->second;
}

Array PlanSimulator::cut(const Box &box) const {
  Array piece = tensor;
  for (unsigned dim = 0; dim < box.sizes.size(); ++dim)
    piece = slice(piece, dim, box.offsets[dim], box.sizes[dim]);
  return piece;
}

void PlanSimulator::distribute(const Layout &layout, ExprContext &context) {
  held.clear();
  auto pending = layout.partialAxes();
  for (unsigned rank = 0; rank < ranks.size(); ++rank) {
    Array piece = cut(boxesOf(layout, context)[rank]);
    // Summands 1, 2, ... on all ranks but the first of a group, which takes
    // the rest; for max and min, values below and above.
    int64_t position = 0, members = 1;
    for (unsigned axis : pending) {
      position = position * sizes[axis] + ranks[rank][axis];
      members *= sizes[axis];
    }
    if (!pending.empty()) {
      ReduceKind kind = layout.placements[pending.front()].reduce;
      int64_t rest = members * (members - 1) / 2;
      for (int64_t &value : piece.data) {
        if (kind == ReduceKind::Avg)
          value *= members;
        if (kind == ReduceKind::Sum || kind == ReduceKind::Avg)
          value = position ? position : value - rest;
        else if (kind == ReduceKind::Max)
          value -= position;
        else if (kind == ReduceKind::Min)
          value += position;
        else
          value = position ? 1 : value;
      }
    }
    held.push_back(std::move(piece));
  }
}

std::vector<unsigned>
PlanSimulator::groupOf(unsigned rank, llvm::ArrayRef<unsigned> axes) const {
  std::map<Numbers, unsigned> byPosition;
  for (unsigned other = 0; other < ranks.size(); ++other) {
    bool inGroup = true;
    for (unsigned axis = 0; axis < sizes.size(); ++axis)
      inGroup &= llvm::is_contained(axes, axis) ||
                 ranks[other][axis] == ranks[rank][axis];
    Numbers position;
    for (unsigned axis : axes)
      position.push_back(ranks[other][axis]);
    if (inGroup)
      byPosition[position] = other;
  }
  std::vector<unsigned> group;
  for (auto &entry : byPosition)
    group.push_back(entry.second);
  return group;
}

std::vector<Array>
PlanSimulator::gatherGroup(unsigned rank, llvm::ArrayRef<unsigned> axes) const {
  std::vector<Array> arrays;
  for (unsigned member : groupOf(rank, axes))
    arrays.push_back(held[member]);
  return arrays;
}

Array PlanSimulator::runOn(unsigned rank, const Step &step,
                           const Layout &before, ExprContext &context) const {
  std::vector<unsigned> group = groupOf(rank, step.axes);
  const Box &after = boxesOf(step.result, context)[rank];
  // Where the dimension begins that this rank cuts.
  auto begin = [&](unsigned dim) {
    return boxesOf(before, context)[group.front()].offsets[dim];
  };
  auto myPart = [&](const Array &array) {
    return slice(array, step.dim, after.offsets[step.dim] - begin(step.dim),
                 after.sizes[step.dim]);
  };
  std::vector<Array> inputs = gatherGroup(rank, step.axes);
  switch (step.kind) {
  case StepKind::AllGather:
    return concat(inputs, step.dim);
  case StepKind::AllReduce:
    return reduce(inputs, step.reduce);
  case StepKind::ReduceScatter:
    return myPart(reduce(inputs, step.reduce));
  case StepKind::AllToAll:
    for (Array &input : inputs)
      input = myPart(input);
    return concat(inputs, step.fromDim);
  case StepKind::ShardSlice:
    return myPart(held[rank]);
  case StepKind::Regroup:
    return myPart(concat(inputs, step.dim));
  case StepKind::InitPartial: {
    Array result = held[rank];
    if (rank != group.front() && step.reduce != ReduceKind::Avg)
      std::fill(result.data.begin(), result.data.end(), neutral(step.reduce));
    return result;
  }
  }
  return {};
}

bool PlanSimulator::run(const Step &step, const Layout &before,
                        ExprContext &context) {
  std::vector<Array> next;
  for (unsigned rank = 0; rank < ranks.size(); ++rank) {
    next.push_back(runOn(rank, step, before, context));
    if (next.back().shape != boxesOf(step.result, context)[rank].sizes)
      return false;
  }
  held = std::move(next);
  return true;
}

bool PlanSimulator::holds(const Layout &layout, ExprContext &context) const {
  auto pending = layout.partialAxes();
  for (unsigned rank = 0; rank < ranks.size(); ++rank) {
    Array value = held[rank];
    if (!pending.empty())
      value = reduce(gatherGroup(rank, pending),
                     layout.placements[pending.front()].reduce);
    if (!(value == cut(boxesOf(layout, context)[rank])))
      return false;
  }
  return true;
}
