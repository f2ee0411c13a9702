//===- Inputs.cpp - the arguments of a run ----------------------*- C++ -*-===//

#include "Inputs.h"

#include "Npy.h"

#include <algorithm>
#include <cctype>
#include <optional>

using namespace dtensor::run;

namespace {

std::string quoted(const std::string &name) { return '"' + name + '"'; }

std::string nameList(const Program &program, size_t first, size_t count) {
  std::string text;
  for (size_t i = first; i < first + count; ++i)
    text += (i == first ? "" : ", ") + quoted(program.value(i).name);
  return text.empty() ? "none" : text;
}

/// "B, min(S, 4)" at its outer commas.
std::vector<std::string> splitExtents(const std::string &text) {
  std::vector<std::string> parts;
  int depth = 0;
  std::string part;
  for (char c : text) {
    depth += (c == '(') - (c == ')');
    if (c == ',' && depth == 0) {
      parts.push_back(part);
      part.clear();
    } else if (c != ' ' || !part.empty()) {
      part += c;
    }
  }
  if (!part.empty())
    parts.push_back(part);
  return parts;
}

/// Is `name` one of the words of "min(S, 4)"?
bool hasWord(const std::string &text, const std::string &name) {
  auto isWord = [&](size_t at) {
    return at < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[at])) ||
            text[at] == '_');
  };
  for (size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + 1))
    if ((at == 0 || !isWord(at - 1)) && !isWord(at + name.size()))
      return true;
  return false;
}

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

class InputMaker {
public:
  InputMaker(const Program &program, const Options &options, Error &error)
      : program(program), options(options), error(error) {}

  bool make(std::vector<HostArray> &args) {
    args.resize(program.numArgs());
    given.assign(program.numArgs(), false);
    if (!checkRanges())
      return false;
    for (const auto &[name, source] : options.inputs)
      if (!readInput(name, source, args))
        return false;
    return options.random ? makeRandom(args) : checkComplete();
  }

private:
  bool fail(const std::string &message) {
    error = message;
    return false;
  }

  bool checkRanges() {
    for (const Range &range : options.ranges)
      if (program.find(range.name, 0, program.numArgs()) < 0)
        return fail("option --range: no argument " + quoted(range.name) +
                    "; the entry has " +
                    nameList(program, 0, program.numArgs()));
    return true;
  }

  bool checkComplete() {
    for (size_t i = 0; i < given.size(); ++i)
      if (!given[i])
        return fail("no input for argument " + quoted(program.value(i).name) +
                    "; give --input " + program.value(i).name +
                    "=FILE.npy or --random");
    return true;
  }

  bool readInput(const std::string &name, const std::string &source,
                 std::vector<HostArray> &args) {
    int64_t index = program.find(name, 0, program.numArgs());
    if (index < 0)
      return fail("no argument " + quoted(name) + "; the entry has " +
                  nameList(program, 0, program.numArgs()));
    const dtensor_rt_value_info &value = program.value(index);
    given[index] = true;
    if (value.is_scalar && !endsWith(source, ".npy"))
      return parseScalar(value, source, args[index]);
    return readNpy(source, args[index], error) &&
           checkType(value, source, args[index]) &&
           checkShape(value, source, args[index]);
  }

  bool parseScalar(const dtensor_rt_value_info &value, const std::string &text,
                   HostArray &array) {
    int64_t integer = 0;
    double number = 0;
    bool ok = isFloat(value.dtype) ? parseNumber(text, number)
                                   : parseInteger(text, integer);
    if (!ok)
      return fail("input " + quoted(value.name) + ": " + quoted(text) +
                  " is not a number of type " +
                  dtensor_rt_dtype_name(value.dtype));
    return makeScalar(value, isFloat(value.dtype) ? number : double(integer),
                      array);
  }

  bool makeScalar(const dtensor_rt_value_info &value, double number,
                  HostArray &array) {
    array.dtype = value.dtype;
    if (!array.allocate())
      return fail("out of memory");
    setElement(array, 0, number);
    return true;
  }

  bool checkType(const dtensor_rt_value_info &value, const std::string &file,
                 HostArray &array) {
    if (value.dtype == DTENSOR_RT_index && array.dtype == DTENSOR_RT_i64)
      array.dtype = DTENSOR_RT_index;
    if (array.dtype == value.dtype)
      return true;
    return fail(quoted(file) + " has elements of type " +
                dtensor_rt_dtype_name(array.dtype) + ", argument " +
                quoted(value.name) + " takes " +
                dtensor_rt_dtype_name(value.dtype));
  }

  bool checkShape(const dtensor_rt_value_info &value, const std::string &file,
                  const HostArray &array) {
    if (array.shape.size() != value.rank)
      return fail(quoted(file) + " has " + std::to_string(array.shape.size()) +
                  " dimensions (" + shapeString(array.shape) + "), argument " +
                  quoted(value.name) + " takes " + std::to_string(value.rank));
    for (size_t d = 0; d < value.rank; ++d)
      if (value.shape[d] >= 0 && array.shape[d] != value.shape[d])
        return fail(quoted(file) + " has shape " + shapeString(array.shape) +
                    ", argument " + quoted(value.name) + " takes " +
                    std::to_string(value.shape[d]) + " in dimension " +
                    std::to_string(d));
    return true;
  }

  /// From --dim, else from the shape of a given input that names the symbol
  /// alone, else from a given scalar of that name.
  std::optional<int64_t> findSymbol(const std::string &symbol,
                                    const std::vector<HostArray> &args) const {
    for (const auto &[name, size] : options.dims)
      if (name == symbol)
        return size;
    for (size_t i = 0; i < args.size(); ++i) {
      if (!given[i])
        continue;
      const dtensor_rt_value_info &value = program.value(i);
      if (value.is_scalar && symbol == value.name)
        return static_cast<int64_t>(getElement(args[i], 0));
      std::vector<std::string> extents = splitExtents(value.extents);
      for (size_t d = 0; d < extents.size() && d < args[i].shape.size(); ++d)
        if (extents[d] == symbol)
          return args[i].shape[d];
    }
    return std::nullopt;
  }

  bool isInShape(const std::string &symbol) const {
    for (size_t i = 0; i < program.numArgs() + program.numResults(); ++i)
      if (hasWord(program.value(i).extents, symbol))
        return true;
    return false;
  }

  /// What no shape needs is the value of an index argument and as random as it.
  bool findSymbols(const std::vector<HostArray> &args,
                   std::vector<std::optional<int64_t>> &symbols) {
    for (const auto &[name, size] : options.dims) {
      const std::vector<std::string> &known = program.getSymbols();
      if (std::find(known.begin(), known.end(), name) == known.end())
        return fail("option --dim: the entry has no symbol " + quoted(name));
      if (size < 0)
        return fail("option --dim: " + quoted(name) + " is " +
                    std::to_string(size) + ", a size is at least 0");
    }
    for (const std::string &symbol : program.getSymbols()) {
      std::optional<int64_t> size = findSymbol(symbol, args);
      if (!size && isInShape(symbol))
        return fail("no value for symbol " + quoted(symbol) + "; give --dim " +
                    symbol + "=N");
      symbols.push_back(size);
    }
    return true;
  }

  bool makeRandom(std::vector<HostArray> &args) {
    std::vector<std::optional<int64_t>> symbols;
    if (!findSymbols(args, symbols))
      return false;
    for (size_t i = 0; i < args.size(); ++i)
      if (!given[i] && !makeRandomInput(i, symbols, args[i]))
        return false;
    return true;
  }

  /// The seed differs from argument to argument, but not with the others.
  bool makeRandomInput(size_t index,
                       const std::vector<std::optional<int64_t>> &symbols,
                       HostArray &array) {
    const dtensor_rt_value_info &value = program.value(index);
    std::vector<int64_t> sizes;
    for (size_t s = 0; s < symbols.size(); ++s) {
      if (value.is_scalar && symbols[s] &&
          program.getSymbols()[s] == value.name)
        return makeScalar(value, static_cast<double>(*symbols[s]), array);
      sizes.push_back(symbols[s].value_or(0));
    }
    array.dtype = value.dtype;
    if (!program.globalExtents(index, sizes, array.shape, error))
      return false;
    for (int64_t size : array.shape)
      if (size < 0)
        return fail("argument " + quoted(value.name) + " would have shape " +
                    shapeString(array.shape));
    if (!array.allocate())
      return fail("argument " + quoted(value.name) + " of shape " +
                  shapeString(array.shape) + " does not fit into memory");
    double low = isFloat(value.dtype) ? -1 : 0;
    double high = isFloat(value.dtype)           ? 1
                  : value.dtype == DTENSOR_RT_i1 ? 2
                                                 : 8;
    for (const Range &range : options.ranges)
      if (range.name == value.name) {
        low = range.low;
        high = range.high;
      }
    fillRandom(array, options.seed * 1000003 + index, low, high);
    return true;
  }

  const Program &program;
  const Options &options;
  Error &error;
  std::vector<bool> given;
};

} // namespace

bool dtensor::run::makeInputs(const Program &program, const Options &options,
                              std::vector<HostArray> &args, Error &error) {
  return InputMaker(program, options, error).make(args);
}
