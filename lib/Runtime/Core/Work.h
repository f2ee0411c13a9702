//===- Work.h - the arrays that the ranks of a run work on ------*- C++ -*-===//

#ifndef DTENSOR_RUNTIME_CORE_WORK_H
#define DTENSOR_RUNTIME_CORE_WORK_H

#include "Backend.h"
#include "Buffer.h"
#include "Manifest.h"

#include <map>

namespace dtensor::rt {

/// Arrays as the caller gave them, checked. A scalar is a view of rank 0.
using Views = std::vector<View>;

/// Memory of a rank in its session.
class Storage {
public:
  Storage() = default;
  Storage(Session &session, int64_t rank, int64_t bytes)
      : session(&session), rank(rank),
        pointer(session.allocateStorage(rank, bytes)) {}
  Storage(Storage &&other) noexcept { *this = std::move(other); }
  Storage &operator=(Storage &&other) noexcept {
    std::swap(session, other.session);
    std::swap(rank, other.rank);
    std::swap(pointer, other.pointer);
    return *this;
  }
  ~Storage() {
    if (pointer)
      session->freeStorage(rank, pointer);
  }
  void *get() const { return pointer; }

private:
  Session *session = nullptr;
  int64_t rank = 0;
  void *pointer = nullptr;
};

/// The arrays of one rank and what they lie in.
class RankWork {
public:
  Views views; // arguments, then results
  std::vector<Buffer> host;
  std::vector<Storage> device;

  /// Makes the list that the compiled program takes, from `views`.
  void describe(const EntryDecl &entry);
  void *const *arguments() const { return pointers.data(); }

private:
  std::vector<std::vector<int64_t>> descriptors; // memrefs
  std::vector<void *> pointers;
};

using Work = std::map<int64_t, RankWork>; // by local rank

/// Everything that a run on `work` depends on; see Session::Options.
std::vector<uint64_t> makeKey(const EntryDecl &entry,
                              const std::vector<int64_t> &symbols,
                              const Work &work);

/// The value of a scalar in the low bytes.
uint64_t scalarBits(const View &view);

/// Raises when an array that the program writes shares memory with another one.
void checkApart(const EntryDecl &entry, const Work &work);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_WORK_H
