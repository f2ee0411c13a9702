//===- Work.cpp - the arrays that the ranks of a run work on ----*- C++ -*-===//

#include "Work.h"

#include "Error.h"

#include <algorithm>
#include <cstring>

using namespace dtensor::rt;

void RankWork::describe(const EntryDecl &entry) {
  descriptors.clear();
  pointers.clear();
  for (size_t i = 0; i < views.size(); ++i) {
    const View &view = views[i];
    auto base = reinterpret_cast<int64_t>(view.base);
    std::vector<int64_t> words = {base, base, 0};
    words.insert(words.end(), view.sizes, view.sizes + view.rank);
    words.insert(words.end(), view.strides, view.strides + view.rank);
    descriptors.push_back(std::move(words));
    pointers.push_back(entry.value(i).isScalar
                           ? static_cast<void *>(view.base)
                           : static_cast<void *>(descriptors.back().data()));
  }
}

uint64_t dtensor::rt::scalarBits(const View &view) {
  uint64_t bits = 0;
  std::memcpy(&bits, view.base, static_cast<size_t>(view.elementBytes()));
  return bits;
}

std::vector<uint64_t> dtensor::rt::makeKey(const EntryDecl &entry,
                                           const std::vector<int64_t> &symbols,
                                           const Work &work) {
  std::vector<uint64_t> key(symbols.begin(), symbols.end());
  for (const auto &[rank, own] : work)
    for (size_t i = 0; i < own.views.size(); ++i)
      key.push_back(entry.value(i).isScalar
                        ? scalarBits(own.views[i])
                        : reinterpret_cast<uint64_t>(own.views[i].base));
  return key;
}

namespace {

/// The bytes of one array.
struct Extent {
  const char *begin, *end;
  bool isWritten;
  int64_t rank;
  size_t ordinal;

  std::string describe(const EntryDecl &entry) const {
    return concat(ordinal < entry.args.size() ? "argument " : "result ",
                  quoted(entry.value(ordinal).name), " of rank ", rank);
  }
};

std::vector<Extent> listExtents(const EntryDecl &entry, const Work &work) {
  std::vector<Extent> extents;
  for (const auto &[rank, own] : work)
    for (size_t i = 0; i < own.views.size(); ++i) {
      const View &view = own.views[i];
      const ValueDecl &value = entry.value(i);
      if (value.isScalar || view.numElements() == 0)
        continue;
      bool isWritten = i >= entry.args.size() || value.donated;
      extents.push_back(
          {view.base, view.base + view.numBytes(), isWritten, rank, i});
    }
  return extents;
}

} // namespace

void dtensor::rt::checkApart(const EntryDecl &entry, const Work &work) {
  std::vector<Extent> extents = listExtents(entry, work);
  std::sort(extents.begin(), extents.end(),
            [](auto &a, auto &b) { return a.begin < b.begin; });
  // Of all before, those that reach furthest.
  const Extent *any = nullptr, *written = nullptr;
  for (const Extent &extent : extents) {
    const Extent *other = extent.isWritten ? any : written;
    if (other && extent.begin < other->end)
      raise(DTENSOR_RT_INVALID_ARGUMENT, extent.describe(entry),
            " shares memory with ", other->describe(entry),
            ", but the program writes to ",
            extent.isWritten ? "the first" : "the second", " of them");
    if (!any || extent.end > any->end)
      any = &extent;
    if (extent.isWritten && (!written || extent.end > written->end))
      written = &extent;
  }
}
