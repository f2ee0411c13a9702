//===- LocalStore.cpp - the ranks of one process ----------------*- C++ -*-===//

#include "Store.h"

#include "../../Core/Error.h"

#include <chrono>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

void WaitingTable::set(const std::string &key, const std::string &value) {
  std::lock_guard lock(mutex);
  values[key] = value;
  changed.notify_all();
}

void WaitingTable::fail() {
  std::lock_guard lock(mutex);
  isFailed = true;
  changed.notify_all();
}

std::string WaitingTable::get(const std::string &key, double seconds) {
  std::unique_lock lock(mutex);
  bool found =
      changed.wait_for(lock, std::chrono::duration<double>(seconds),
                       [&] { return isFailed || values.count(key) != 0; });
  if (isFailed)
    raise(DTENSOR_RT_RUN_FAILED, "another rank failed");
  if (!found)
    raise(DTENSOR_RT_RUN_FAILED, "no rank set ", quoted(key), " within ",
          seconds, " s");
  return values[key];
}

namespace {

class LocalStore : public Store {
public:
  void set(const std::string &key, const std::string &value) override {
    table.set(key, value);
  }
  std::string get(const std::string &key, double seconds) override {
    return table.get(key, seconds);
  }

  /// The ranks of one process share their failure by other means; only those
  /// that wait here are woken.
  void fail(int64_t, const std::string &) override { table.fail(); }
  void setOnFailure(const void *, OnFailure) override {}

private:
  WaitingTable table;
};

} // namespace

std::unique_ptr<Store> cuda::makeLocalStore() {
  return std::make_unique<LocalStore>();
}
