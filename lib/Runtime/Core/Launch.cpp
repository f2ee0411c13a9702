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

/// Everything that the work of a run depends on.
static std::vector<uint64_t> makeKey(const EntryDecl &entry,
                                     const std::vector<int64_t> &symbols,
                                     const std::map<int64_t, RankValues> &all) {
  std::vector<uint64_t> key(symbols.begin(), symbols.end());
  for (const auto &[rank, values] : all)
    for (size_t i = 0; i < values.views.size(); ++i) {
      uint64_t word = reinterpret_cast<uint64_t>(values.views[i].base);
      if (entry.value(i).isScalar) {
        size_t bytes = values.views[i].elementBytes();
        const char *base = values.views[i].base;
        std::memcpy(&(word = 0), base, bytes);
      }
      key.push_back(word);
    }
  return key;
}

void Launch::runRanks(const Session::Prepare &prepare, Values &values,
                      Session::Options &options) {
  const EntryDecl &entry = executable->getEntry();
  Session &session = executable->getSession();
  // Where `prepare` makes the arrays, they are not known yet.
  bool isReady = !session.usesHostMemory();
  std::map<int64_t, Descriptors> descriptors;
  for (int64_t rank : executable->getLocalRanks())
    descriptors.try_emplace(rank);
  auto describe = [&](int64_t rank) {
    prepare(rank);
    const Views &views = values.at(rank).views;
    for (size_t i = 0; i < views.size(); ++i)
      descriptors.at(rank).add(views[i], entry.value(i).isScalar);
  };
  if (isReady)
    options.key = makeKey(entry, symbols, values);
  stats = session.run(
      describe,
      [&](RankContext &rank) {
        executable->callRun(rank, descriptors.at(rank.getRank()).data(),
                            symbols.data());
      },
      options);
}

void Launch::runLocal(const Views &args, const Views &results,
                      Session::Options options) {
  RunningGuard guard(running);
  const EntryDecl &entry = executable->getEntry();
  size_t numArgs = entry.args.size(), numResults = entry.results.size();
  Values values;
  size_t at = 0;
  for (int64_t rank : executable->getLocalRanks()) {
    Views rankArgs(args.begin() + at * numArgs,
                   args.begin() + (at + 1) * numArgs);
    Views &views = values[rank].views;
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
  }
  runRanks([](int64_t) {}, values, options);
}

void Launch::setRankValues(RankValues &values, int64_t rank, const Views &args,
                           bool mayAlias) {
  const EntryDecl &entry = executable->getEntry();
  Session &session = executable->getSession();
  bool onHost = session.usesHostMemory();
  std::vector<int64_t> coords = executable->getMesh().coords(rank);
  values.views.clear();
  values.device.clear();
  values.host.clear();
  values.host.resize(numValues());
  for (size_t i = 0; i < numValues(); ++i) {
    const ValueDecl &value = entry.value(i);
    const Box &box = localBox(rank, i);
    bool isArg = i < args.size();
    View view;
    if (value.isScalar)
      view = args[i];
    else if (isArg)
      view =
          distribute(args[i], box, value, coords,
                     !onHost || (mayAlias && !value.donated), values.host[i]);
    else if (onHost)
      view = allocateLocal(box, value.dtype, values.host[i]);
    else
      view =
          rowMajorView(nullptr, value.dtype, value.rank(), box.extents.data());
    if (!onHost && !value.isScalar) {
      values.device.emplace_back(session, rank, view.numBytes());
      void *storage = values.device.back().get();
      if (isArg)
        session.upload(rank, storage, view.base, view.numBytes());
      view.base = static_cast<char *>(storage);
      values.host[i].reset();
    }
    values.views.push_back(view);
  }
}

void Launch::collectResults(Values &values, const Views &results) {
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
      auto it = values.find(rank);
      const View *own =
          it == values.end() ? nullptr : &it->second.views[ordinal];
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
  Values values;
  for (int64_t rank : executable->getLocalRanks())
    values[rank];
  Session::Options options;
  auto set = [&](int64_t rank) {
    setRankValues(values.at(rank), rank, args, /*mayAlias=*/true);
  };
  bool onHost = executable->getSession().usesHostMemory();
  if (!onHost)
    for (int64_t rank : executable->getLocalRanks())
      set(rank);
  runRanks(onHost ? Session::Prepare(set) : [](int64_t) {}, values, options);
  collectResults(values, results);
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
  Values values;
  for (int64_t rank : executable->getLocalRanks())
    setRankValues(values[rank], rank, kept, /*mayAlias=*/false);
  loaded = std::move(values);
}

void Launch::execute(Session::Options options) {
  RunningGuard guard(running);
  if (loaded.empty())
    raise(DTENSOR_RT_INVALID_ARGUMENT, "no arguments were loaded");
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
