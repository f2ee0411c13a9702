//===- Executable.h - one entry on one mesh ---------------------*- C++ -*-===//
//
// Layout mathematics lives in the compiled functions; this class calls them
// and checks what comes back.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_EXECUTABLE_H
#define DTENSOR_RUNTIME_CORE_EXECUTABLE_H

#include "Backend.h"
#include "LoadedBundle.h"

#include <memory>
#include <optional>

namespace dtensor::rt {

/// The smallest size that all facts of `axis` allow, or 0.
int64_t leastSize(const AxisDecl &axis);

/// The part of a tensor that one rank holds.
struct Box {
  std::vector<int64_t> extents, offsets;
};

class Executable {
public:
  struct Options {
    std::string entry, backend;
    std::vector<std::string> axisNames;
    std::vector<int64_t> axisSizes;
    std::optional<Peers> peers;
  };

  /// Raises when the entry, the backend or an axis is unknown, when an axis is
  /// missing, and when a size contradicts what the bundle declares.
  Executable(std::shared_ptr<LoadedBundle> bundle, const Options &options);

  const EntryDecl &getEntry() const { return entry; }
  const Mesh &getMesh() const { return mesh; }
  int64_t getNumRanks() const { return mesh.numRanks(); }
  Session &getSession() const { return *session; }
  const std::vector<int64_t> &getLocalRanks() const { return localRanks; }

  /// Symbols from the shapes and integer scalars of the arguments; raises
  /// CHECK_FAILED with the text of the first launch check that fails.
  std::vector<int64_t> bind(const std::vector<const int64_t *> &shapes,
                            const std::vector<int64_t> &scalars) const;

  std::vector<int64_t> globalExtents(size_t ordinal,
                                     const std::vector<int64_t> &symbols) const;

  /// Raises when the box does not lie in the global tensor.
  Box localBox(size_t ordinal, const std::vector<int64_t> &symbols,
               int64_t rank) const;

  /// Calls the compiled program; it may leave by longjmp, so this function
  /// owns nothing.
  void callRun(RankContext &rank, void *const *args,
               const int64_t *symbols) const;

private:
  std::shared_ptr<LoadedBundle> bundle;
  const EntryDecl &entry;
  Backend &backend;
  Mesh mesh;
  BindFunction bindFunction;
  LayoutFunction layoutFunction;
  RunFunction runFunction;
  // Last, so that it goes first: it uses all of the above.
  std::unique_ptr<Session> session;
  std::vector<int64_t> localRanks;
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_EXECUTABLE_H
