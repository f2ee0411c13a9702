//===- SelftestExchange.cpp - a collective and what it gives ----*- C++ -*-===//

#include "SelftestExchange.h"

#include <algorithm>
#include <cmath>

using namespace dtensor;
using namespace dtensor::selftest;

//===----------------------------------------------------------------------===//
// One call
//===----------------------------------------------------------------------===//

HostArray selftest::fromValues(int32_t dtype, const Sizes &shape,
                               const std::vector<double> &all) {
  HostArray array = makeArray(dtype, shape);
  for (size_t i = 0; i < all.size(); ++i)
    run::setElement(array, static_cast<int64_t>(i), all[i]);
  return array;
}

void Exchange::add(const Sizes &srcShape, const std::vector<double> &contents,
                   const Sizes &dstShape) {
  auto rank = static_cast<int64_t>(src.size());
  src.emplace_back(*rig.session, rank, fromValues(dtype, srcShape, contents));
  dst.emplace_back(*rig.session, rank, makeArray(dtype, dstShape));
}

void Exchange::queue(rt::RankContext &context) {
  auto rank = static_cast<size_t>(context.getRank());
  Descriptor from = src[rank].describe(), to = dst[rank].describe();
  call(&context, context.getRank(), from.get(), to.get());
}

void Exchange::check() {
  for (size_t rank = 0; rank < dst.size(); ++rank)
    checkClose(dst[rank].read(), wanted(static_cast<int64_t>(rank)), 0, what);
}

void selftest::runAll(Rig &rig, std::vector<Exchange> &exchanges) {
  rig.runChecked(
      [&](rt::RankContext &context) {
        for (Exchange &exchange : exchanges)
          exchange.queue(context);
      },
      exchanges.front().what);
  for (Exchange &exchange : exchanges)
    exchange.check();
}

void selftest::runOne(Rig &rig, Exchange exchange) {
  std::vector<Exchange> one;
  one.push_back(std::move(exchange));
  runAll(rig, one);
}

//===----------------------------------------------------------------------===//
// Groups, pieces and contents
//===----------------------------------------------------------------------===//

namespace {

Sizes coordsOf(const Sizes &mesh, int64_t rank) {
  Sizes coords(mesh.size());
  for (size_t a = mesh.size(); a-- > 0; rank /= mesh[a])
    coords[a] = rank % mesh[a];
  return coords;
}

int64_t rankOf(const Sizes &mesh, const Sizes &coords) {
  int64_t rank = 0;
  for (size_t a = 0; a < mesh.size(); ++a)
    rank = rank * mesh[a] + coords[a];
  return rank;
}

Sizes groupOf(const Case &test, int64_t rank) {
  Sizes members, base = coordsOf(test.mesh, rank);
  int64_t count = 1;
  for (unsigned axis : test.axes)
    count *= test.mesh[axis];
  for (int64_t i = 0; i < count; ++i) {
    Sizes coords = base;
    int64_t rest = i;
    for (size_t a = test.axes.size(); a-- > 0;) {
      coords[test.axes[a]] = rest % test.mesh[test.axes[a]];
      rest /= test.mesh[test.axes[a]];
    }
    members.push_back(rankOf(test.mesh, coords));
  }
  return members;
}

/// What a rank holds of [0, extent), cut by the axes one after the other.
std::pair<int64_t, int64_t> pieceOf(const Case &test, int64_t rank,
                                    int64_t extent, int64_t unit) {
  Sizes coords = coordsOf(test.mesh, rank);
  int64_t offset = 0, size = extent;
  for (unsigned axis : test.axes) {
    int64_t n = test.mesh[axis], units = (size + unit - 1) / unit;
    int64_t chunk = unit * ((units + n - 1) / n);
    int64_t begin = std::min(size, coords[axis] * chunk);
    offset += begin;
    size = std::min(size - begin, chunk);
  }
  return {offset, size};
}

/// Rows before, extent of and columns behind dimension `dim` of three.
Sizes shapeWith(Sizes shape, int64_t dim, int64_t extent) {
  shape[static_cast<size_t>(dim)] = extent;
  return shape;
}

/// Copies [offset, offset + size) of `dim` of a 3-d array.
std::vector<double> sliceOf(const std::vector<double> &all, const Sizes &shape,
                            int64_t dim, int64_t offset, int64_t size) {
  std::vector<double> part;
  Sizes begin(3, 0), end = shape;
  begin[dim] = offset;
  end[dim] = offset + size;
  for (int64_t i = begin[0]; i < end[0]; ++i)
    for (int64_t j = begin[1]; j < end[1]; ++j)
      for (int64_t k = begin[2]; k < end[2]; ++k)
        part.push_back(all[(i * shape[1] + j) * shape[2] + k]);
  return part;
}

int64_t product(const Sizes &shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

std::string nameOf(const char *what, const Case &test, int32_t dtype,
                   int64_t dim, int64_t extent, int64_t unit) {
  std::string mesh, axes;
  for (int64_t size : test.mesh)
    mesh += std::to_string(size) + " ";
  for (unsigned axis : test.axes)
    axes += std::to_string(axis) + " ";
  return rt::concat(what, " ", dtensor_rt_dtype_name(dtype), " mesh ", mesh,
                    "axes ", axes, "dim ", dim, " extent ", extent, " unit ",
                    unit);
}

double combine(rt::Reduce kind, double a, double b, int32_t dtype) {
  if (dtype == DTENSOR_RT_i1)
    return kind == rt::Reduce::Sum || kind == rt::Reduce::Max
               ? (a != 0 || b != 0)
               : (a != 0 && b != 0);
  switch (kind) {
  case rt::Reduce::Sum:
    return a + b;
  case rt::Reduce::Max:
    return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
  case rt::Reduce::Min:
    return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
  case rt::Reduce::Product:
    return a * b;
  }
  return 0;
}

/// Contents of all ranks of one shape; floats get a NaN on some rank.
std::vector<std::vector<double>> contentsOf(Rig &rig, int32_t dtype,
                                            int64_t count, bool withNan) {
  std::vector<std::vector<double>> all;
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    all.push_back(pattern(count, rank, dtype == DTENSOR_RT_i1));
    if (withNan && run::isFloat(dtype) && count > 3)
      all.back()[static_cast<size_t>(rank % 2 + 1)] = NAN;
  }
  return all;
}

} // namespace

std::vector<double> selftest::pattern(int64_t count, int64_t seed,
                                      bool isTruth) {
  std::vector<double> all;
  for (int64_t i = 0; i < count; ++i) {
    int64_t value = (seed * 7 + i * 3 + seed * i + i / 11) % 5 - 2;
    all.push_back(static_cast<double>(isTruth ? value & 1 : value));
  }
  return all;
}

std::vector<double>
selftest::reduced(const Case &test, int64_t rank, rt::Reduce kind,
                  int32_t dtype, const std::vector<std::vector<double>> &all) {
  Sizes members = groupOf(test, rank);
  std::vector<double> result = all[static_cast<size_t>(members[0])];
  for (size_t q = 1; q < members.size(); ++q)
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = combine(kind, result[i],
                          all[static_cast<size_t>(members[q])][i], dtype);
  return result;
}

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

Exchange selftest::makeGather(Rig &rig, const Case &test, int32_t dtype,
                              int64_t dim, int64_t extent, int64_t unit) {
  Exchange exchange(rig, dtype,
                    nameOf("all_gather", test, dtype, dim, extent, unit));
  Sizes shape = shapeWith({2, 3, 4}, dim, extent);
  std::vector<double> all = pattern(product(shape), 1, dtype == DTENSOR_RT_i1);
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    auto [offset, size] = pieceOf(test, rank, extent, unit);
    exchange.add(shapeWith(shape, dim, size),
                 sliceOf(all, shape, dim, offset, size), shape);
  }
  exchange.call = [=](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_gather(ctx, 3, from, to, dim, unit, pack(test.axes),
                                   dtype);
  };
  exchange.wanted = [=](int64_t) { return all; };
  return exchange;
}

Exchange selftest::makeReduce(Rig &rig, const Case &test, int32_t dtype,
                              rt::Reduce kind, int64_t count) {
  Exchange exchange(
      rig, dtype,
      nameOf("all_reduce", test, dtype, static_cast<int64_t>(kind), count, 1));
  auto all = contentsOf(rig, dtype, count, true);
  for (const auto &contents : all)
    exchange.add({count}, contents, {count});
  exchange.call = [=](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack(test.axes),
                                   static_cast<int32_t>(kind), dtype);
  };
  exchange.wanted = [=](int64_t rank) {
    return reduced(test, rank, kind, dtype, all);
  };
  return exchange;
}

Exchange selftest::makeReduceScatter(Rig &rig, const Case &test, int32_t dtype,
                                     rt::Reduce kind, int64_t dim,
                                     int64_t extent, int64_t unit) {
  Exchange exchange(rig, dtype,
                    nameOf("reduce_scatter", test, dtype, dim, extent, unit));
  Sizes shape = shapeWith({2, 3, 4}, dim, extent);
  auto all = contentsOf(rig, dtype, product(shape), false);
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
    exchange.add(
        shape, all[static_cast<size_t>(rank)],
        shapeWith(shape, dim, pieceOf(test, rank, extent, unit).second));
  exchange.call = [=](void *ctx, int64_t rank, void *from, void *to) {
    rt::abi::dtensor_rt_reduce_scatter(
        ctx, 3, from, to, dim, pieceOf(test, rank, extent, unit).first, unit,
        pack(test.axes), static_cast<int32_t>(kind), dtype);
  };
  exchange.wanted = [=](int64_t rank) {
    auto [offset, size] = pieceOf(test, rank, extent, unit);
    return sliceOf(reduced(test, rank, kind, dtype, all), shape, dim, offset,
                   size);
  };
  return exchange;
}

Exchange selftest::makeAllToAll(Rig &rig, const Case &test, int32_t dtype,
                                int64_t gatherDim, int64_t splitDim,
                                int64_t gathered, int64_t split) {
  Exchange exchange(
      rig, dtype,
      nameOf("all_to_all", test, dtype, gatherDim, gathered, split));
  Sizes shape =
      shapeWith(shapeWith({2, 3, 4}, gatherDim, gathered), splitDim, split);
  std::vector<double> all = pattern(product(shape), 2, dtype == DTENSOR_RT_i1);
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    auto [offset, size] = pieceOf(test, rank, gathered, 1);
    exchange.add(
        shapeWith(shape, gatherDim, size),
        sliceOf(all, shape, gatherDim, offset, size),
        shapeWith(shape, splitDim, pieceOf(test, rank, split, 1).second));
  }
  exchange.call = [=](void *ctx, int64_t rank, void *from, void *to) {
    rt::abi::dtensor_rt_all_to_all(ctx, 3, from, to, gatherDim, 1, splitDim,
                                   pieceOf(test, rank, split, 1).first, 1,
                                   pack(test.axes), dtype);
  };
  exchange.wanted = [=](int64_t rank) {
    auto [offset, size] = pieceOf(test, rank, split, 1);
    return sliceOf(all, shape, splitDim, offset, size);
  };
  return exchange;
}

Exchange selftest::makePermute(Rig &rig, const Case &test) {
  Exchange exchange(rig, DTENSOR_RT_f32,
                    nameOf("permute", test, DTENSOR_RT_f32, 0, 6, 1));
  std::vector<std::vector<double>> all;
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    all.push_back(pattern(6, rank, false));
    exchange.add({2, 3}, all.back(), {2, 3});
  }
  auto sourceOf = [=](int64_t rank) {
    Sizes members = groupOf(test, rank);
    auto own = std::find(members.begin(), members.end(), rank);
    return (own - members.begin() + 1) % static_cast<int64_t>(members.size());
  };
  exchange.call = [=](void *ctx, int64_t rank, void *from, void *to) {
    rt::abi::dtensor_rt_collective_permute(ctx, 2, from, to, sourceOf(rank),
                                           pack(test.axes), DTENSOR_RT_f32);
  };
  exchange.wanted = [=](int64_t rank) {
    return all[static_cast<size_t>(
        groupOf(test, rank)[static_cast<size_t>(sourceOf(rank))])];
  };
  return exchange;
}
