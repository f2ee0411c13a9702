//===- Placement.h - How one mesh axis holds a tensor -----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A placement says what the ranks along ONE mesh axis hold of a tensor:
//
//   replicate         every rank holds the whole (as seen from this axis)
//   shard(d, unit=U)  dimension d is cut into pieces, one per rank, and no cut
//                     falls inside a group of U consecutive elements
//   partial(k)        every rank holds a value of full shape; the tensor is
//                     their elementwise reduction of kind k
//   ?                 not decided yet; propagation decides
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_PLACEMENT_H
#define DTENSOR_SHARDING_PLACEMENT_H

#include "dtensor/Sharding/Expr.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace dtensor {

/// How the values of a partial tensor combine.
enum class ReduceKind { Sum, Avg, Max, Min, Product };

/// The spelling in text: sum, avg, max, min, product.
llvm::StringRef stringify(ReduceKind kind);

/// The inverse of `stringify`; nullopt for any other text.
std::optional<ReduceKind> parseReduceKind(llvm::StringRef text);

enum class PlacementKind { Open, Replicate, Shard, Partial };

/// One axis's share of a layout. Fields that the kind does not use keep their
/// defaults, so that equality is memberwise.
struct Placement {
  PlacementKind kind = PlacementKind::Open;
  /// Shard: the tensor dimension.
  unsigned dim = 0;
  /// Shard: elements that stay together; null means 1 (and 1 is stored as
  /// null). A symbolic unit that is 0 at launch counts as 1.
  Expr unit;
  /// Partial: the pending reduction.
  ReduceKind reduce = ReduceKind::Sum;

  static Placement open() { return {}; }
  static Placement replicate();
  static Placement shard(unsigned dim, Expr unit = {});
  static Placement partial(ReduceKind reduce = ReduceKind::Sum);

  bool isOpen() const { return kind == PlacementKind::Open; }
  bool isReplicate() const { return kind == PlacementKind::Replicate; }
  bool isShard() const { return kind == PlacementKind::Shard; }
  bool isShard(unsigned d) const { return isShard() && dim == d; }
  bool isPartial() const { return kind == PlacementKind::Partial; }

  bool operator==(const Placement &other) const;
  bool operator!=(const Placement &other) const { return !(*this == other); }

  /// `replicate`, `shard(0)`, `shard(0, unit = D)`, `partial(sum)`, `?`.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
};

llvm::hash_code hash_value(const Placement &placement);

inline llvm::raw_ostream &operator<<(llvm::raw_ostream &os,
                                     const Placement &placement) {
  placement.print(os);
  return os;
}

} // namespace dtensor

#endif // DTENSOR_SHARDING_PLACEMENT_H
