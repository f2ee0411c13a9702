//===- Branches.cpp - products side by side in a graph ----------*- C++ -*-===//

#include "Branches.h"

#include <utility>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

bool ProductAccess::isIndependentOf(const ProductAccess &other) const {
  auto touches = [](const ProductAccess &reader, const MemoryRange &range) {
    return std::any_of(
        reader.reads.begin(), reader.reads.end(),
        [&](const MemoryRange &read) { return read.overlaps(range); });
  };
  return !write.overlaps(other.write) && !touches(*this, other.write) &&
         !touches(other, write);
}

void Branches::release() {
  const Driver &driver = getDriver();
  for (Side &each : sides) {
    if (each.done)
      driver.eventDestroy(each.done);
    if (each.stream)
      driver.streamDestroy(each.stream);
    each = {};
  }
  if (fork)
    driver.eventDestroy(std::exchange(fork, nullptr));
}

bool Branches::isIndependent(const ProductAccess &access) const {
  return std::all_of(products.begin(), products.end(),
                     [&](const ProductAccess &other) {
                       return access.isIndependentOf(other);
                     });
}

Branches::Side &Branches::side(int number) {
  Side &found = sides[static_cast<size_t>(number)];
  if (!found.stream) {
    check(getDriver().streamCreate(&found.stream, kStreamNonBlocking, 0),
          "making a stream");
    check(getDriver().eventCreate(&found.done, kEventDisableTiming),
          "making an event");
  }
  return found;
}

Branches::Place Branches::place(Stream main, const ProductAccess &access,
                                bool isSmall) {
  if (!isOpen)
    return {main, 0};
  const Driver &driver = getDriver();
  if (isSmall && !products.empty() && numSides() < kSides &&
      isIndependent(access)) {
    Stream stream = side(numSides()).stream;
    check(driver.streamWaitEvent(stream, fork, 0), "forking captured work");
    products.push_back(access);
    return {stream, numSides()};
  }
  join(main);
  if (!fork)
    check(driver.eventCreate(&fork, kEventDisableTiming), "making an event");
  check(driver.eventRecord(fork, main), "forking captured work");
  products.push_back(access);
  return {main, 0};
}

void Branches::join(Stream main) {
  const Driver &driver = getDriver();
  for (int number = 0; number < numSides(); ++number) {
    Side &each = sides[static_cast<size_t>(number)];
    check(driver.eventRecord(each.done, each.stream), "joining captured work");
    check(driver.streamWaitEvent(main, each.done, 0), "joining captured work");
  }
  products.clear();
}
