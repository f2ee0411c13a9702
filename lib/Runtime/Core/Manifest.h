//===- Manifest.h - what a bundle says about itself -------------*- C++ -*-===//
//
// The manifest is checked completely when it is read: the rest of the runtime
// relies on counts, codes and dimensions being in range.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_MANIFEST_H
#define DTENSOR_RUNTIME_CORE_MANIFEST_H

#include "View.h"

#include <optional>
#include <string>
#include <vector>

namespace dtensor::rt {

struct AxisDecl {
  std::string name;
  std::optional<int64_t> size, max, divides;
  int64_t min = 1;
  int64_t multipleOf = 1;
  int64_t hint = 8;
};

struct PlacementDecl {
  enum Kind { Replicate, Shard, Partial };
  Kind kind = Replicate;
  int64_t dim = 0;
  std::string unit;            // empty: 1
  Reduce reduce = Reduce::Sum; // of the stored values; an average is a sum
  bool isAverage = false;
};

struct ValueDecl {
  std::string name;
  bool isScalar = false;
  int32_t dtype = 0;
  std::vector<int64_t> shape; // -1: dynamic
  std::vector<std::string> extents;
  std::vector<PlacementDecl> placements; // one per mesh axis, none of a scalar
  bool donated = false;

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  std::string extentsString() const;
  std::string placementsString() const;
};

struct EntryDecl {
  std::string name, bind, layout, run;
  std::vector<std::string> symbols;
  std::vector<ValueDecl> args, results;
  std::vector<std::string> checks;

  /// Arguments, then results.
  const ValueDecl &value(size_t ordinal) const;
  size_t numValues() const { return args.size() + results.size(); }
};

struct Manifest {
  std::string target;
  std::vector<AxisDecl> axes;
  std::vector<EntryDecl> entries;
  std::vector<std::string> kernels;  // of device code, by number
  std::vector<std::string> products; // lines of dtensor-rt/ProductTable.h
};

/// Raises BAD_BUNDLE with the place in the manifest that is wrong.
Manifest parseManifest(const std::string &text);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_MANIFEST_H
