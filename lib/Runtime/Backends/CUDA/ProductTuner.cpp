//===- ProductTuner.cpp - measuring matrix products -------------*- C++ -*-===//

#include "ProductTuner.h"

#include "Gpu.h"

#include "../../Core/Error.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

/// More than any cache holds.
static constexpr int64_t kRotatedBytes = int64_t(256) << 20;
/// Candidates take turns in rounds: a GPU that gets warm slows all of them.
static constexpr int kRounds = 7;
static constexpr double kRoundMicroseconds = 6000;
/// What a candidate must gain over the library's own choice.
static constexpr double kClearly = 0.995;

static const char *getFile() { return std::getenv("DTENSOR_TUNE"); }

bool ProductTuner::isAsked() {
  const char *file = getFile();
  return file && *file;
}

bool ProductTuner::claim(const TunedProduct &product) {
  static std::mutex mutex;
  static std::set<std::string> claimed;
  std::lock_guard lock(mutex);
  return claimed.insert(formatTunedProduct(product)).second;
}

ProductTuner::ProductTuner(Gpu &gpu, char *given, int64_t bytes)
    : gpu(gpu), weights{given} {
  const Driver &driver = getDriver();
  check(driver.eventCreate(&begin, 0), "making an event");
  check(driver.eventCreate(&end, 0), "making an event");
  int64_t copies = std::min<int64_t>(kRotatedBytes / bytes, 64);
  for (int64_t i = 0; i < copies; ++i) {
    void *copy = gpu.getStorage().allocate(bytes);
    if (!copy)
      break;
    weights.push_back(static_cast<char *>(copy));
    check(driver.memcpyDtoD(reinterpret_cast<DevicePtr>(copy),
                            reinterpret_cast<DevicePtr>(given),
                            static_cast<size_t>(bytes), gpu.getStream()),
          "copying weights");
  }
}

ProductTuner::~ProductTuner() {
  const Driver &driver = getDriver();
  driver.streamSynchronize(gpu.getStream());
  driver.eventDestroy(begin);
  driver.eventDestroy(end);
  for (size_t i = 1; i < weights.size(); ++i)
    gpu.getStorage().free(weights[i]);
}

/// Microseconds of one run.
double ProductTuner::time(size_t candidate, int repeats) {
  const Driver &driver = getDriver();
  auto once = [&] { run(candidate, weights[turn++ % weights.size()]); };
  once();
  check(driver.eventRecord(begin, gpu.getStream()), "measuring");
  for (int i = 0; i < repeats; ++i)
    once();
  check(driver.eventRecord(end, gpu.getStream()), "measuring");
  check(driver.streamSynchronize(gpu.getStream()), "measuring");
  float milliseconds = 0;
  check(driver.eventElapsedTime(&milliseconds, begin, end), "measuring");
  return milliseconds * 1e3 / repeats;
}

size_t ProductTuner::measure(size_t count,
                             const std::function<void(size_t, char *)> &fn) {
  run = fn;
  double guess = std::max(time(0, 2), 1.0);
  int repeats =
      static_cast<int>(std::clamp(kRoundMicroseconds / guess, 2.0, 200.0));
  std::vector<std::vector<double>> times(count);
  for (int round = 0; round < kRounds; ++round)
    for (size_t i = 0; i < count; ++i)
      times[i].push_back(time(i, repeats));
  std::vector<double> medians;
  for (std::vector<double> &list : times) {
    std::nth_element(list.begin(), list.begin() + kRounds / 2, list.end());
    medians.push_back(list[kRounds / 2]);
  }
  size_t least = static_cast<size_t>(
      std::min_element(medians.begin(), medians.end()) - medians.begin());
  if (medians[least] > kClearly * medians[0])
    least = 0;
  first = medians[0];
  best = medians[least];
  return least;
}

void ProductTuner::write(const TunedProduct &product) const {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::ofstream file(getFile(), std::ios::app);
  file << formatTunedProduct(product) << " # " << best
       << " us, the library's own choice " << first << " us\n";
  if (!file.flush())
    raise(DTENSOR_RT_INVALID_ARGUMENT, "DTENSOR_TUNE: cannot write ",
          quoted(getFile()));
}
