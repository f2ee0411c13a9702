//===- Philox.cpp - random bits from a key and a counter ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3". One round,
// with hi and lo the halves of a product of 64 bits:
//
//   c0 c1 c2 c3  :=  hi(M1 c2)^c1^k0   lo(M1 c2)   hi(M0 c0)^c3^k1   lo(M0 c0)
//
// after which the words of the key grow by W0 and W1.
//
//===----------------------------------------------------------------------===//

#include "Philox.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace dtensor {

constexpr uint32_t kMultiplier[] = {0xD2511F53, 0xCD9E8D57};
constexpr uint32_t kWeyl[] = {0x9E3779B9, 0xBB67AE85};
constexpr unsigned kRounds = 10;

static Value word(Scalars &s, uint32_t value) {
  return arith::ConstantIntOp::create(s.builder, s.loc,
                                      static_cast<int32_t>(value), 32);
}

static Value lowWord(Scalars &s, Value value) {
  return arith::TruncIOp::create(s.builder, s.loc, s.builder.getI32Type(),
                                 value);
}

static Value shiftRight(Scalars &s, Value value, unsigned bits) {
  Value count = s.constant(value.getType(), bits);
  return arith::ShRUIOp::create(s.builder, s.loc, value, count);
}

static Value highWord(Scalars &s, Value value) {
  return lowWord(s, shiftRight(s, value, 32));
}

static Value exclusiveOr(Scalars &s, Value a, Value b) {
  return arith::XOrIOp::create(s.builder, s.loc, a, b);
}

static void buildRound(Scalars &s, RandomWords &c, Value key0, Value key1) {
  auto first = arith::MulUIExtendedOp::create(s.builder, s.loc, c[0],
                                              word(s, kMultiplier[0]));
  auto second = arith::MulUIExtendedOp::create(s.builder, s.loc, c[2],
                                               word(s, kMultiplier[1]));
  c = {exclusiveOr(s, exclusiveOr(s, second.getHigh(), c[1]), key0),
       second.getLow(),
       exclusiveOr(s, exclusiveOr(s, first.getHigh(), c[3]), key1),
       first.getLow()};
}

RandomWords buildPhilox(Scalars &s, Value key, Value counterLow,
                        Value counterHigh) {
  Value key0 = lowWord(s, key), key1 = highWord(s, key);
  RandomWords c = {lowWord(s, counterLow), highWord(s, counterLow),
                   lowWord(s, counterHigh), highWord(s, counterHigh)};
  for (unsigned round = 0; round < kRounds; ++round) {
    if (round) {
      key0 = s.add(key0, word(s, kWeyl[0]));
      key1 = s.add(key1, word(s, kWeyl[1]));
    }
    buildRound(s, c, key0, key1);
  }
  return c;
}

/// The upper `bits` bits of 64.
static Value buildLongBits(Scalars &s, Value high, Value low, unsigned bits) {
  Type i64 = s.builder.getI64Type();
  Value upper = arith::ExtUIOp::create(s.builder, s.loc, i64, high);
  Value lower = arith::ExtUIOp::create(s.builder, s.loc, i64, low);
  upper = arith::ShLIOp::create(s.builder, s.loc, upper, s.constant(i64, 32));
  Value both = arith::OrIOp::create(s.builder, s.loc, upper, lower);
  return shiftRight(s, both, 64 - bits);
}

Value buildUniform(Scalars &s, const RandomWords &words, FloatType type,
                   unsigned pair) {
  unsigned bits = type.getFPMantissaWidth();
  Value high = words[2 * pair], low = words[2 * pair + 1];
  Value integer = bits > 32 ? buildLongBits(s, high, low, bits)
                            : shiftRight(s, high, 32 - bits);
  Type wide = accumulatorType(type);
  return s.mul(s.cast(integer, wide),
               s.constant(wide, std::ldexp(1.0, -int(bits))));
}

Value buildNormal(Scalars &s, const RandomWords &words, FloatType type) {
  auto wide = cast<FloatType>(accumulatorType(type));
  Value step =
      s.constant(wide, std::ldexp(1.0, -int(wide.getFPMantissaWidth())));
  // In (0, 1], so that the logarithm is finite.
  Value radius = s.add(buildUniform(s, words, wide, 0), step);
  Value log = math::LogOp::create(s.builder, s.loc, radius);
  Value root =
      math::SqrtOp::create(s.builder, s.loc, s.mul(s.constant(wide, -2), log));
  Value angle = s.mul(s.constant(wide, 6.283185307179586476925),
                      buildUniform(s, words, wide, 1));
  return s.mul(root, math::CosOp::create(s.builder, s.loc, angle));
}

} // namespace dtensor
