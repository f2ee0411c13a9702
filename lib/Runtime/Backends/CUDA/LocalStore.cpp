//===- LocalStore.cpp - the ranks of one process ----------------*- C++ -*-===//

#include "Store.h"

#include "../../Core/Error.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

namespace {

class LocalStore : public Store {
public:
  void set(const std::string &key, const std::string &value) override {
    std::lock_guard lock(mutex);
    values[key] = value;
    changed.notify_all();
  }

  std::string get(const std::string &key, double seconds) override {
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

  /// The ranks of one process share their failure by other means; only those
  /// that wait here are woken.
  void fail(int64_t, const std::string &) override {
    std::lock_guard lock(mutex);
    isFailed = true;
    changed.notify_all();
  }

  void setOnFailure(OnFailure) override {}

private:
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::string> values;
  bool isFailed = false;
};

} // namespace

std::unique_ptr<Store> cuda::makeLocalStore() {
  return std::make_unique<LocalStore>();
}
