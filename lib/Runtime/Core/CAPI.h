//===- CAPI.h - what the functions of the C interface share -----*- C++ -*-===//
//
// Every function is a thin wrapper: check what the caller gave, call the
// class, turn an exception into a status and a message.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_CAPI_H
#define DTENSOR_RUNTIME_CORE_CAPI_H

#include "Handles.h"
#include "Launch.h"

#include "dtensor-rt/dtensor_rt.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace dtensor::rt {

/// What an executable handle stands for; keeps the strings that describe
/// hands out.
struct ExecutableObject {
  std::shared_ptr<Executable> executable;
  std::vector<std::string> extents, placements; // per value
};

HandleTable<dtensor_rt_bundle, LoadedBundle> &bundles();
HandleTable<dtensor_rt_executable, ExecutableObject> &executables();
HandleTable<dtensor_rt_launch, Launch> &launches();

/// What dtensor_rt_last_error tells this thread.
std::string &lastError();

/// Runs `fn`; its exceptions become a status.
template <typename Fn>
dtensor_rt_status guard(Fn fn) noexcept {
  try {
    fn();
    return DTENSOR_RT_OK;
  } catch (const Error &error) {
    lastError() = error.what();
    return error.getStatus();
  } catch (const std::bad_alloc &) {
    lastError() = "out of memory";
    return DTENSOR_RT_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    lastError() = error.what();
    return DTENSOR_RT_INTERNAL;
  }
}

template <typename... Ts>
[[noreturn]] void invalid(const Ts &...parts) {
  raise(DTENSOR_RT_INVALID_ARGUMENT, parts...);
}

template <typename T>
T *notNull(T *pointer, const char *name) {
  if (!pointer)
    invalid(name, " is null");
  return pointer;
}

inline void checkIndex(size_t index, size_t count, const char *what) {
  if (index >= count)
    raise(DTENSOR_RT_NOT_FOUND, "no ", what, " ", index, ", there are ", count);
}

inline void checkCount(size_t given, size_t expected, const char *what) {
  if (given != expected)
    invalid(given, " ", what, " given, ", expected, " expected");
}

/// A struct of an older caller is a prefix of ours.
template <typename T>
void checkStruct(const T *pointer, size_t leastSize, const char *name) {
  notNull(pointer, name);
  if (pointer->struct_size < leastSize)
    invalid(name, ".struct_size is ", pointer->struct_size, ", at least ",
            leastSize, " is expected");
}

template <typename T>
void store(T *out, T value) {
  checkStruct(out, sizeof(size_t) * 2, "info");
  value.struct_size = out->struct_size;
  std::memcpy(static_cast<void *>(out), &value,
              std::min(out->struct_size, sizeof(T)));
}

inline void checkOrdinal(const Executable &executable, size_t ordinal,
                         size_t rank) {
  const EntryDecl &entry = executable.getEntry();
  checkIndex(ordinal, entry.numValues(), "value");
  checkCount(rank, entry.value(ordinal).shape.size(), "dimensions");
}

/// Copies to a caller's array, which may be null only when there is nothing.
inline void copyOut(const std::vector<int64_t> &from, int64_t *to,
                    const char *name) {
  if (from.empty())
    return;
  std::copy(from.begin(), from.end(), notNull(to, name));
}

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_CAPI_H
