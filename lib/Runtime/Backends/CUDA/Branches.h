//===- Branches.h - products side by side in a graph ------------*- C++ -*-===//
//
// A product of few tiles leaves most of a GPU idle. In captured work, products
// that follow each other and neither write what another one reads or writes are
// put on streams of their own, between a fork before the first of them and a
// join before whatever comes next. The order of the calls says what may be
// reused after them, so accesses are compared as ranges of memory, whoever's
// they are.
//
// Which kernels run, and the order of sums within each, stays as it is.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_BRANCHES_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_BRANCHES_H

#include "Api.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace dtensor::rt::cuda {

/// Bytes from `begin` on; none where there is no operand.
struct MemoryRange {
  const char *begin = nullptr;
  int64_t bytes = 0;

  bool overlaps(const MemoryRange &other) const {
    return bytes > 0 && other.bytes > 0 && begin < other.begin + other.bytes &&
           other.begin < begin + bytes;
  }
};

/// What a product reads and writes.
struct ProductAccess {
  std::array<MemoryRange, 4> reads;
  MemoryRange write;

  bool isIndependentOf(const ProductAccess &other) const;
};

class Branches {
public:
  /// Streams beside the one of all other work.
  static constexpr int kSides = 2;

  Branches() = default;
  Branches(const Branches &) = delete;
  /// Gives the streams back. The context is current, nothing is captured.
  void release();

  /// Between them work is captured.
  void begin() { isOpen = true; }
  void end() {
    isOpen = false;
    products.clear(); // of work that failed
  }

  struct Place {
    Stream stream;
    int number; // 0: that of all other work
  };
  /// Where a product goes: one that is not small, to `main`.
  Place place(Stream main, const ProductAccess &access, bool isSmall);
  /// What `main` does next comes after all products.
  void join(Stream main);

private:
  struct Side {
    Stream stream = nullptr;
    Event done = nullptr;
  };
  bool isIndependent(const ProductAccess &access) const;
  /// In use: the first product is on the stream of all other work.
  int numSides() const {
    return std::max(0, static_cast<int>(products.size()) - 1);
  }
  Side &side(int number);

  bool isOpen = false;
  std::vector<ProductAccess> products; // since the fork
  Event fork = nullptr;
  std::array<Side, kSides> sides;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_BRANCHES_H
