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

/// The caller's array is the one that was seen before.
bool isSame(const dtensor_rt_array &array, const View &view) {
  if (array.struct_size < sizeof(array) || array.data != view.base ||
      array.dtype != view.dtype || array.ndim != view.rank)
    return false;
  for (int64_t d = 0; d < view.rank; ++d)
    if (!array.shape || array.shape[d] != view.sizes[d] ||
        (array.strides && array.strides[d] != view.strides[d]))
      return false;
  return true;
}

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

void Launch::checkArgs(const Views &args) const {
  for (size_t i = 0; i < args.size(); ++i)
    checkArray(args[i], i, extents[i], "argument ");
  checkScalars(args, "argument ");
}

void Launch::checkResults(const Views &results) const {
  size_t first = executable->getEntry().args.size();
  for (size_t i = 0; i < results.size(); ++i)
    checkArray(results[i], first + i, extents[first + i], "result ");
}

void Launch::runRanks(const Session::Prepare &prepare, const Work &work,
                      const Session::Options &options) {
  auto run = [&](RankContext &rank) {
    executable->callRun(rank, work.at(rank.getRank()).arguments(),
                        symbols.data());
  };
  stats = executable->getSession().run(prepare, std::ref(run), options);
}

Work Launch::makeLocalWork(const Views &args, const Views &results) const {
  const EntryDecl &entry = executable->getEntry();
  size_t numArgs = entry.args.size(), numResults = entry.results.size();
  Work work;
  size_t at = 0;
  for (int64_t rank : executable->getLocalRanks()) {
    Views rankArgs(args.begin() + at * numArgs,
                   args.begin() + (at + 1) * numArgs);
    Views &views = work[rank].views;
    views = rankArgs;
    views.insert(views.end(), results.begin() + at * numResults,
                 results.begin() + (at + 1) * numResults);
    ++at;
    std::string who = concat("rank ", rank, ": ");
    checkScalars(rankArgs, who);
    for (size_t i = 0; i < views.size(); ++i) {
      checkArray(views[i], i, localBox(rank, i).extents, who);
      if (!views[i].isRowMajor())
        raise(DTENSOR_RT_INVALID_ARGUMENT, who, quoted(entry.value(i).name),
              " is not row-major");
    }
    work[rank].describe(entry);
  }
  checkApart(entry, work);
  return work;
}

void Launch::runLocal(const Views &args, const Views &results,
                      Session::Options options) {
  RunningGuard guard(running);
  local.clear();
  local = makeLocalWork(args, results);
  localKey = makeKey(executable->getEntry(), symbols, local);
  options.key = localKey;
  runRanks([](int64_t) {}, local, options);
}

bool Launch::isLocalWork(const CallerArrays &args,
                         const CallerArrays &results) const {
  const EntryDecl &entry = executable->getEntry();
  size_t numArgs = entry.args.size(), numResults = entry.results.size();
  if (local.empty() || (args.count && !args.data) ||
      (results.count && !results.data) ||
      args.count != local.size() * numArgs ||
      results.count != local.size() * numResults)
    return false;
  auto at = [](const CallerArrays &arrays, size_t i) -> auto & {
    auto bytes = reinterpret_cast<const char *>(arrays.data);
    return *reinterpret_cast<const dtensor_rt_array *>(
        bytes + i * arrays.data->struct_size);
  };
  const uint64_t *keyWord = localKey.data() + symbols.size();
  size_t number = 0;
  for (const auto &[rank, own] : local) {
    for (size_t i = 0; i < own.views.size(); ++i, ++keyWord) {
      const dtensor_rt_array &array =
          i < numArgs ? at(args, number * numArgs + i)
                      : at(results, number * numResults + i - numArgs);
      if (!isSame(array, own.views[i]) ||
          (entry.value(i).isScalar && scalarBits(own.views[i]) != *keyWord))
        return false;
    }
    ++number;
  }
  return true;
}

bool Launch::rerunLocal(const CallerArrays &args, const CallerArrays &results,
                        Session::Options options) {
  RunningGuard guard(running);
  if (!isLocalWork(args, results))
    return false;
  options.key = localKey;
  runRanks([](int64_t) {}, local, options);
  return true;
}

void Launch::setRankWork(RankWork &own, int64_t rank, const Views &args,
                         bool mayAlias) {
  const EntryDecl &entry = executable->getEntry();
  Session &session = executable->getSession();
  bool onHost = session.usesHostMemory();
  std::vector<int64_t> coords = executable->getMesh().coords(rank);
  own.views.clear();
  own.device.clear();
  own.host.clear();
  own.host.resize(numValues());
  for (size_t i = 0; i < numValues(); ++i) {
    const ValueDecl &value = entry.value(i);
    const Box &box = localBox(rank, i);
    bool isArg = i < args.size();
    View view;
    if (value.isScalar)
      view = args[i];
    else if (isArg)
      view = distribute(args[i], box, value, coords,
                        !onHost || (mayAlias && !value.donated), own.host[i]);
    else if (onHost)
      view = allocateLocal(box, value.dtype, own.host[i]);
    else
      view =
          rowMajorView(nullptr, value.dtype, value.rank(), box.extents.data());
    if (!onHost && !value.isScalar) {
      own.device.emplace_back(session, rank, view.numBytes());
      void *storage = own.device.back().get();
      if (isArg)
        session.upload(rank, storage, view.base, view.numBytes());
      view.base = static_cast<char *>(storage);
      own.host[i].reset();
    }
    own.views.push_back(view);
  }
  own.describe(entry);
}

void Launch::collectResults(const Work &work, const Views &results) {
  const EntryDecl &entry = executable->getEntry();
  const Mesh &mesh = executable->getMesh();
  Session &session = executable->getSession();
  for (size_t i = 0; i < results.size(); ++i) {
    size_t ordinal = entry.args.size() + i;
    const ValueDecl &value = entry.results[i];
    std::vector<View> locals(mesh.numRanks());
    std::vector<Buffer> buffers(mesh.numRanks());
    std::vector<Box> resultBoxes;
    for (int64_t rank = 0; rank < mesh.numRanks(); ++rank) {
      const Box &box = localBox(rank, ordinal);
      resultBoxes.push_back(box);
      auto it = work.find(rank);
      const View *own = it == work.end() ? nullptr : &it->second.views[ordinal];
      if (session.usesHostMemory()) {
        locals[rank] = *own;
        continue;
      }
      if (!isCollected(value, mesh.coords(rank)))
        continue;
      locals[rank] = allocateLocal(box, value.dtype, buffers[rank]);
      session.download(rank, locals[rank].base, own ? own->base : nullptr,
                       locals[rank].numBytes());
    }
    collect(results[i], value, mesh, locals, resultBoxes);
  }
}

void Launch::checkCollectable() const {
  size_t local = executable->getLocalRanks().size();
  if (executable->getSession().usesHostMemory() &&
      local != static_cast<size_t>(executable->getNumRanks()))
    raise(DTENSOR_RT_INVALID_ARGUMENT, "global results need all ",
          executable->getNumRanks(), " ranks in one process, ", local,
          " of them run here; run on local arrays instead");
}

void Launch::runGlobal(const Views &args, const Views &results) {
  RunningGuard guard(running);
  checkCollectable();
  checkArgs(args);
  checkResults(results);
  Work work;
  for (int64_t rank : executable->getLocalRanks())
    work[rank];
  auto set = [&](int64_t rank) {
    setRankWork(work.at(rank), rank, args, /*mayAlias=*/true);
  };
  Session::Options options;
  std::vector<uint64_t> key;
  if (executable->getSession().usesHostMemory()) {
    runRanks(set, work, options);
  } else {
    for (int64_t rank : executable->getLocalRanks())
      set(rank);
    key = makeKey(executable->getEntry(), symbols, work);
    options.key = key;
    runRanks([](int64_t) {}, work, options);
  }
  collectResults(work, results);
}

void Launch::load(const Views &args) {
  RunningGuard guard(running);
  checkArgs(args);
  loadedScalars.resize(args.size());
  Views kept = args;
  for (size_t i = 0; i < args.size(); ++i)
    if (executable->getEntry().args[i].isScalar) {
      std::memcpy(loadedScalars[i].data(), args[i].base,
                  args[i].elementBytes());
      kept[i].base = loadedScalars[i].data();
    }
  executable->getSession().wait();
  Work work;
  for (int64_t rank : executable->getLocalRanks())
    setRankWork(work[rank], rank, kept, /*mayAlias=*/false);
  loaded = std::move(work);
  loadedKey = makeKey(executable->getEntry(), symbols, loaded);
}

void Launch::execute(Session::Options options) {
  RunningGuard guard(running);
  if (loaded.empty())
    raise(DTENSOR_RT_INVALID_ARGUMENT, "no arguments were loaded");
  options.key = loadedKey;
  runRanks([](int64_t) {}, loaded, options);
}

void Launch::fetch(const Views &results) {
  RunningGuard guard(running);
  checkCollectable();
  checkResults(results);
  if (loaded.empty() || stats.empty())
    raise(DTENSOR_RT_INVALID_ARGUMENT, "this launch has not run yet");
  executable->getSession().wait();
  collectResults(loaded, results);
}
