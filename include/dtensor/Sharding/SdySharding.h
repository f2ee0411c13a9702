//===- SdySharding.h - Layouts in the words of Shardy -----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shardy says of each dimension which axes of a named mesh cut it, major to
// minor, and of the axes left over which ones must stay whole or are pending:
//
//   <@mesh, [{"x", "y":(1)2}, {?}, {"z"}p1], replicated={"y":(2)2}>
//   <@mesh, [{}, {"x"}], unreduced=max{"y"}>
//
// A dimension with `?` is open: more axes may cut it. `p1` is the priority that
// its axes have in propagation, 0 is the first. `"y":(1)2` is a part of the
// axis "y": with "y" seen as a grid, (1) is the size of what is major to the
// part and 2 its own size.
//
// A layout of ours says the same of each axis. Open there are dimensions, here
// axes, so that the two agree where all dimensions are open or none is; a
// layout with open axes names its replicated ones. An axis that is added to an
// open dimension cuts after its axes there, and in the order of the mesh here,
// so that free axes must come last in the mesh. A part of an axis is an axis of
// our mesh, named like the part: `"y:(1)2" = 2, "y:(2)2" = 2`. Units that equal
// pieces would not keep anyway, pending averages and products have no words
// there, priorities none here. Tiles of N elements are ceil(N / tiles) wide,
// which is where one axis cuts; several axes of one dimension cut there only if
// their sizes divide N.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_SDYSHARDING_H
#define DTENSOR_SHARDING_SDYSHARDING_H

#include "dtensor/Sharding/Layout.h"

namespace dtensor {

/// A whole axis, or a part of one.
struct SdyAxis {
  std::string name;
  /// Of a part: the product of the sizes that are major to it.
  int64_t before = 1;
  /// Of a part; 0 for the whole axis.
  int64_t size = 0;

  bool isPart() const { return size != 0; }
  bool operator==(const SdyAxis &other) const;
  /// `x`, `x:(1)2`: what our mesh names it.
  std::string str() const;
  /// `"x"`, `"x":(1)2`.
  void print(llvm::raw_ostream &os) const;
};

/// The axes of a dimension, or those that are replicated or unreduced.
using SdyAxes = llvm::SmallVector<SdyAxis, 2>;

struct SdyDimension {
  SdyAxes axes;
  bool isOpen = false;
  std::optional<int64_t> priority;
};

struct SdyMesh {
  struct Axis {
    std::string name;
    int64_t size;
    bool operator==(const Axis &other) const {
      return name == other.name && size == other.size;
    }
  };
  llvm::SmallVector<Axis, 2> axes;
  /// The device of each rank, row-major; none where it is the rank itself.
  llvm::SmallVector<int64_t> devices;

  const Axis *lookup(llvm::StringRef name) const;
  bool operator==(const SdyMesh &other) const;

  /// Devices that are the ranks themselves are left out.
  static std::optional<SdyMesh> parse(llvm::StringRef text,
                                      EmitError emitError);
  /// `<["x"=2, "y"=4]>`, `<["x"=2], device_ids=[1, 0]>`.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
};

struct SdySharding {
  /// The name of the mesh; empty where the mesh is written in place.
  std::string meshName;
  SdyMesh inlineMesh;
  llvm::SmallVector<SdyDimension, 4> dims;
  SdyAxes replicated, unreduced;
  /// Of the unreduced axes: sum, max or min.
  ReduceKind reduce = ReduceKind::Sum;

  bool hasOpen() const;
  /// Does it say nothing at all?
  bool isFullyOpen() const;

  static std::optional<SdySharding> parse(llvm::StringRef text,
                                          EmitError emitError);
  /// The form in the comment at the top.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;

  /// Axes are of the mesh and no part is used twice; parts have proper sizes; a
  /// closed dimension without axes has no priority.
  bool verify(const SdyMesh &mesh, EmitError emitError) const;
  /// One text for one meaning: neighbouring parts are joined, the replicated
  /// and unreduced axes are in the order of the mesh. Needs `verify`.
  void canonicalize(const SdyMesh &mesh);

  /// Of the same text.
  bool operator==(const SdySharding &other) const;
};

llvm::hash_code hash_value(const SdyMesh &mesh);
llvm::hash_code hash_value(const SdySharding &sharding);

/// Our mesh for values with these shardings: an axis of which they use parts is
/// several axes. Nullopt after an error where there is none.
std::optional<Mesh> fromSdyMesh(const SdyMesh &mesh,
                                llvm::ArrayRef<SdySharding> shardings,
                                EmitError emitError);

/// Our mesh there, the parts of one axis joined; nullopt after an error.
std::optional<SdyMesh> toSdyMesh(const Mesh &mesh, EmitError emitError);

/// What to do where one side has no words for a detail of the other.
enum class SdyDetail {
  Refuse,
  /// Take a tensor with open and closed dimensions as closed, priorities as not
  /// stated, and axes that are added in the order of the mesh.
  Drop,
};

/// The layout with `extents` on `mesh`, which `fromSdyMesh` gave; nullopt after
/// an error where no layout says the same. Needs `verify`.
std::optional<Layout> fromSdySharding(const SdySharding &sharding,
                                      const Mesh &mesh,
                                      llvm::ArrayRef<Expr> extents,
                                      SdyDetail detail, EmitError emitError);

/// The sharding of `layout` on `mesh`, which is named `meshName` there; nullopt
/// after an error where none says the same. A unit is left out where all pieces
/// are equal and whole units.
std::optional<SdySharding> toSdySharding(const Layout &layout, const Mesh &mesh,
                                         llvm::StringRef meshName,
                                         EmitError emitError);

} // namespace dtensor

#endif // DTENSOR_SHARDING_SDYSHARDING_H
