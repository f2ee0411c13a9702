//===- ProductTable.h - algorithms chosen ahead of time ---------*- C++ -*-===//
//
// A table says which algorithm of the vendor's library serves a product of
// matrices c[m, n] = a[m, k] * b[k, n]. A tuning run writes it, a bundle
// carries it, and the runtime looks products up in it: what runs is known
// before the run, so that its bits never depend on a measurement. One line is
// one product:
//
//   sm_90 130100 bf16 bf16 nn 4097 8192 14336 <128 hexadecimal digits>
//
//   architecture, version of the library, types of the operands and of the
//   result, n or t (transposed) for a and for b, m, n, k, the library's own
//   description of the algorithm. What follows a # is a comment.
//
// Header-only: used by compiler and runtime.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RT_PRODUCTTABLE_H
#define DTENSOR_RT_PRODUCTTABLE_H

#include "Types.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace dtensor::rt {

struct TunedProduct {
  int64_t arch = 0, version = 0;
  int32_t dtypeIn = 0, dtypeOut = 0;
  bool transA = false, transB = false;
  int64_t m = 0, n = 0, k = 0;
  std::array<uint64_t, 8> algorithm = {};

  /// All but m and the algorithm.
  auto kind() const {
    return std::tuple(arch, version, dtypeIn, dtypeOut, transA, transB, n, k);
  }
};

inline const char *nameOfDType(int32_t dtype) {
  static const char *const names[] = {
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES) #NAME,
      DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
  };
  return names[dtype];
}

inline std::string formatTunedProduct(const TunedProduct &product) {
  std::ostringstream line;
  line << "sm_" << product.arch << ' ' << product.version << ' '
       << nameOfDType(product.dtypeIn) << ' ' << nameOfDType(product.dtypeOut)
       << ' ' << (product.transA ? 't' : 'n') << (product.transB ? 't' : 'n')
       << ' ' << product.m << ' ' << product.n << ' ' << product.k << ' ';
  for (uint64_t word : product.algorithm) {
    char digits[17];
    std::snprintf(digits, sizeof(digits), "%016llx",
                  static_cast<unsigned long long>(word));
    line << digits;
  }
  return line.str();
}

/// Nothing where `line` is no entry; its text is read to the end or a #.
inline std::optional<TunedProduct> parseTunedProduct(const std::string &line) {
  std::istringstream words(line.substr(0, line.find('#')));
  std::string arch, in, out, trans, digits, rest;
  TunedProduct product;
  if (!(words >> arch >> product.version >> in >> out >> trans >> product.m >>
        product.n >> product.k >> digits) ||
      words >> rest || arch.compare(0, 3, "sm_") != 0 || trans.size() != 2 ||
      trans.find_first_not_of("nt") != std::string::npos || product.m < 1 ||
      product.n < 1 || product.k < 1 || digits.size() != 128 ||
      digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    return std::nullopt;
  product.arch = std::strtoll(arch.c_str() + 3, nullptr, 10);
  product.transA = trans[0] == 't';
  product.transB = trans[1] == 't';
  bool knowsIn = false, knowsOut = false;
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES)                                    \
  if (in == #NAME)                                                             \
    knowsIn = true, product.dtypeIn = CODE;                                    \
  if (out == #NAME)                                                            \
    knowsOut = true, product.dtypeOut = CODE;
  DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
  for (size_t i = 0; i < product.algorithm.size(); ++i)
    product.algorithm[i] =
        std::strtoull(digits.substr(16 * i, 16).c_str(), nullptr, 16);
  if (product.arch < 1 || !knowsIn || !knowsOut)
    return std::nullopt;
  return product;
}

class ProductTable {
public:
  void add(const TunedProduct &product) { products.push_back(product); }
  bool isEmpty() const { return products.empty(); }
  const std::vector<TunedProduct> &all() const { return products; }

  /// The entry of the same kind whose m is nearest to that of `wanted`, if it
  /// is near enough; the first one of equals.
  const TunedProduct *find(const TunedProduct &wanted) const {
    const TunedProduct *best = nullptr;
    for (const TunedProduct &product : products)
      if (product.kind() == wanted.kind() && serves(product.m, wanted.m) &&
          (!best ||
           distance(product.m, wanted.m) < distance(best->m, wanted.m)))
        best = &product;
    return best;
  }

private:
  static int64_t distance(int64_t a, int64_t b) {
    return a < b ? b - a : a - b;
  }

  /// A few rows are one tile, padded: what is best for a full tile is so for
  /// most of one. Of many rows, a number near `tuned` fills as many tiles.
  static bool serves(int64_t tuned, int64_t m) {
    if (tuned <= 128)
      return m <= tuned && (tuned <= 16 || 2 * m > tuned);
    return 32 * distance(tuned, m) <= tuned;
  }

  std::vector<TunedProduct> products;
};

} // namespace dtensor::rt

#endif // DTENSOR_RT_PRODUCTTABLE_H
