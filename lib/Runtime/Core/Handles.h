//===- Handles.h - opaque handles of the C interface ------------*- C++ -*-===//
//
// A handle is a number dressed as a pointer. Numbers are never used twice, so
// a closed handle, or a handle of another kind, is found out.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_HANDLES_H
#define DTENSOR_RUNTIME_CORE_HANDLES_H

#include "Error.h"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace dtensor::rt {

/// Handles of type `Handle *` to shared objects of class `Object`.
template <typename Handle, typename Object>
class HandleTable {
public:
  /// `kind` tells tables apart: at most 8 tables, numbered from 0.
  HandleTable(const char *name, uintptr_t kind) : name(name), kind(kind) {}

  Handle *add(std::shared_ptr<Object> object) {
    std::lock_guard<std::mutex> lock(mutex);
    uintptr_t id = (++count << 3) | kind;
    objects.emplace(id, std::move(object));
    return reinterpret_cast<Handle *>(id);
  }

  std::shared_ptr<Object> get(const Handle *handle) {
    std::lock_guard<std::mutex> lock(mutex);
    return find(handle)->second;
  }

  void remove(const Handle *handle) {
    std::shared_ptr<Object> last; // destroyed after the lock is released
    std::lock_guard<std::mutex> lock(mutex);
    auto it = find(handle);
    last = std::move(it->second);
    objects.erase(it);
  }

private:
  using Map = std::unordered_map<uintptr_t, std::shared_ptr<Object>>;

  typename Map::iterator find(const Handle *handle) {
    if (!handle)
      raise(DTENSOR_RT_INVALID_HANDLE, name, " handle is null");
    auto it = objects.find(reinterpret_cast<uintptr_t>(handle));
    if (it == objects.end())
      raise(DTENSOR_RT_INVALID_HANDLE, "not a live ", name,
            " handle (closed, or of another kind)");
    return it;
  }

  const char *name;
  uintptr_t kind;
  std::mutex mutex;
  uintptr_t count = 0;
  Map objects;
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_HANDLES_H
