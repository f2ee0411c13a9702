//===- Launch.cpp - an executable bound to global shapes --------*- C++ -*-===//

#include "Launch.h"

#include "Distribution.h"
#include "Error.h"

#include <cstring>

using namespace dtensor::rt;

namespace {

bool isInteger(int32_t dtype) {
  return dtype >= DTENSOR_RT_i64 && dtype <= DTENSOR_RT_index;
}

/// Value of an integer scalar, 0 of another.
int64_t readScalar(const View &view) {
  auto read = [&](auto value) {
    std::memcpy(&value, view.base, sizeof(value));
    return static_cast<int64_t>(value);
  };
  switch (view.dtype) {
  case DTENSOR_RT_i64:
  case DTENSOR_RT_index:
    return read(int64_t());
  case DTENSOR_RT_i32:
    return read(int32_t());
  case DTENSOR_RT_i16:
    return read(int16_t());
  case DTENSOR_RT_i8:
    return read(int8_t());
  case DTENSOR_RT_i1:
    return read(uint8_t()) != 0;
  }
  return 0;
}

/// Sizes that no program fixes are as expected.
void checkStaticShape(const View &view, const ValueDecl &value) {
  for (int64_t d = 0; d < view.rank; ++d)
    if (value.shape[d] >= 0 && view.sizes[d] != value.shape[d])
      raise(DTENSOR_RT_INVALID_ARGUMENT, "argument ", quoted(value.name),
            " has shape ", view.shapeString(), ", the program fixes dimension ",
            d, " to ", value.shape[d]);
}

/// 64-bit integers are interchangeable with index.
bool sameType(int32_t a, int32_t b) {
  auto canonical = [](int32_t dtype) {
    return dtype == DTENSOR_RT_index ? static_cast<int32_t>(DTENSOR_RT_i64)
                                     : dtype;
  };
  return canonical(a) == canonical(b);
}

void checkType(const View &view, const ValueDecl &value,
               const std::string &who) {
  if (!sameType(view.dtype, value.dtype))
    raise(DTENSOR_RT_INVALID_ARGUMENT, who, quoted(value.name),
          " has elements of type ", dtensor_rt_dtype_name(view.dtype),
          ", the program takes ", dtensor_rt_dtype_name(value.dtype));
  if (view.rank != value.rank())
    raise(DTENSOR_RT_INVALID_ARGUMENT, who, quoted(value.name), " has ",
          view.rank, " dimensions (", view.shapeString(),
          "), the program takes ", value.rank());
}

/// Memref descriptors of one rank's values, and the list that run takes.
class Descriptors {
public:
  void add(const View &view, bool isScalar) {
    std::vector<int64_t> words = {reinterpret_cast<int64_t>(view.base),
                                  reinterpret_cast<int64_t>(view.base), 0};
    words.insert(words.end(), view.sizes, view.sizes + view.rank);
    words.insert(words.end(), view.strides, view.strides + view.rank);
    storage.push_back(std::move(words));
    pointers.push_back(isScalar ? static_cast<void *>(view.base)
                                : static_cast<void *>(storage.back().data()));
  }
  void *const *data() const { return pointers.data(); }

private:
  std::vector<std::vector<int64_t>> storage;
  std::vector<void *> pointers;
};

/// Marks a launch as running.
class RunningGuard {
public:
  explicit RunningGuard(std::atomic<bool> &running) : running(running) {
    if (running.exchange(true))
      raise(DTENSOR_RT_BUSY, "this launch is running on another thread");
  }
  ~RunningGuard() { running = false; }

private:
  std::atomic<bool> &running;
};

} // namespace

Launch::Launch(std::shared_ptr<Executable> owner, const Views &args)
    : executable(std::move(owner)) {
  const EntryDecl &entry = executable->getEntry();
  std::vector<const int64_t *> shapes;
  for (size_t i = 0; i < args.size(); ++i) {
    const ValueDecl &value = entry.args[i];
    checkType(args[i], value, "argument ");
    checkStaticShape(args[i], value);
    shapes.push_back(value.isScalar ? nullptr : args[i].sizes);
    scalars.push_back(value.isScalar ? readScalar(args[i]) : 0);
  }
  symbols = executable->bind(shapes, scalars);
  for (size_t i = 0; i < numValues(); ++i)
    extents.push_back(executable->globalExtents(i, symbols));
  for (int64_t rank = 0; rank < executable->getNumRanks(); ++rank)
    for (size_t i = 0; i < numValues(); ++i)
      boxes.push_back(executable->localBox(i, symbols, rank));
}

const dtensor_rt_rank_stats &Launch::getStats(int64_t rank) const {
  if (stats.empty())
    raise(DTENSOR_RT_INVALID_ARGUMENT, "this launch has not run yet");
  return stats[rank];
}

void Launch::checkArray(const View &view, size_t ordinal,
                        const std::vector<int64_t> &expected,
                        const std::string &who) const {
  const ValueDecl &value = executable->getEntry().value(ordinal);
  checkType(view, value, who);
  for (int64_t d = 0; d < view.rank; ++d)
    if (view.sizes[d] != expected[d])
      raise(DTENSOR_RT_INVALID_ARGUMENT, who, quoted(value.name), " has shape ",
            view.shapeString(), ", expected ",
            shapeString(expected.data(), view.rank));
}

void Launch::checkScalars(const Views &args, const std::string &who) const {
  const EntryDecl &entry = executable->getEntry();
  for (size_t i = 0; i < args.size(); ++i)
    if (entry.args[i].isScalar && isInteger(args[i].dtype) &&
        readScalar(args[i]) != scalars[i])
      raise(DTENSOR_RT_INVALID_ARGUMENT, who, quoted(entry.args[i].name),
            " is ", readScalar(args[i]), ", but ", scalars[i], " was bound");
}

void Launch::checkGlobal(const Views &args, const Views &results) const {
  for (size_t i = 0; i < args.size(); ++i)
    checkArray(args[i], i, extents[i], "argument ");
  for (size_t i = 0; i < results.size(); ++i)
    checkArray(results[i], args.size() + i, extents[args.size() + i],
               "result ");
  checkScalars(args, "argument ");
}

void Launch::runRanks(const Backend::Prepare &prepare,
                      std::vector<std::vector<View>> &values) {
  const EntryDecl &entry = executable->getEntry();
  std::vector<Descriptors> descriptors(values.size());
  auto describe = [&](int64_t rank) {
    prepare(rank);
    for (size_t i = 0; i < values[rank].size(); ++i)
      descriptors[rank].add(values[rank][i], entry.value(i).isScalar);
  };
  stats = executable->getBackend().run(
      executable->getMesh(), describe, [&](RankContext &rank) {
        executable->callRun(rank, descriptors[rank.getRank()].data(),
                            symbols.data());
      });
}

void Launch::runLocal(const Views &args, const Views &results) {
  RunningGuard guard(running);
  const EntryDecl &entry = executable->getEntry();
  size_t numArgs = entry.args.size(), numResults = entry.results.size();
  std::vector<std::vector<View>> values(executable->getNumRanks());
  for (size_t rank = 0; rank < values.size(); ++rank) {
    Views rankArgs(args.begin() + rank * numArgs,
                   args.begin() + (rank + 1) * numArgs);
    values[rank] = rankArgs;
    values[rank].insert(values[rank].end(), results.begin() + rank * numResults,
                        results.begin() + (rank + 1) * numResults);
    std::string who = concat("rank ", rank, ": ");
    checkScalars(rankArgs, who);
    for (size_t i = 0; i < values[rank].size(); ++i) {
      checkArray(values[rank][i], i, localBox(rank, i).extents, who);
      if (!values[rank][i].isRowMajor())
        raise(DTENSOR_RT_INVALID_ARGUMENT, who, quoted(entry.value(i).name),
              " is not row-major");
    }
  }
  runRanks([](int64_t) {}, values);
}

void Launch::runGlobal(const Views &args, const Views &results) {
  RunningGuard guard(running);
  checkGlobal(args, results);
  const EntryDecl &entry = executable->getEntry();
  const Mesh &mesh = executable->getMesh();
  int64_t numRanks = mesh.numRanks();
  std::vector<std::vector<View>> values(numRanks);
  std::vector<std::vector<Buffer>> storage(numRanks);
  auto prepare = [&](int64_t rank) {
    storage[rank].resize(numValues());
    std::vector<int64_t> coords = mesh.coords(rank);
    for (size_t i = 0; i < numValues(); ++i) {
      const ValueDecl &value = entry.value(i);
      const Box &box = localBox(rank, i);
      if (i >= args.size())
        values[rank].push_back(
            allocateLocal(box, value.dtype, storage[rank][i]));
      else if (value.isScalar)
        values[rank].push_back(args[i]);
      else
        values[rank].push_back(distribute(args[i], box, value, coords,
                                          !value.donated, storage[rank][i]));
    }
  };
  runRanks(prepare, values);
  for (size_t i = 0; i < results.size(); ++i) {
    size_t ordinal = args.size() + i;
    std::vector<View> locals;
    std::vector<Box> resultBoxes;
    for (int64_t rank = 0; rank < numRanks; ++rank) {
      locals.push_back(values[rank][ordinal]);
      resultBoxes.push_back(localBox(rank, ordinal));
    }
    collect(results[i], entry.results[i], mesh, locals, resultBoxes);
  }
}
