//===- Options.cpp - the command line of dtensor-run ------------*- C++ -*-===//

#include "Options.h"

#include <cerrno>
#include <cstdlib>
#include <functional>

using namespace dtensor::run;

const char *const dtensor::run::kUsage =
    R"(usage: dtensor-run PROGRAM [options]

Runs one entry of a bundle on all ranks of a mesh: distributes the global
inputs by their layouts, runs, collects the global outputs. A PROGRAM named
*.mlir is compiled first, by the dtensor-compile beside this tool.

  --list                 print the entries with their arguments and results
  --entry=NAME           the entry; may be left out when there is one
  --mesh=tp=4,dp=2       sizes of the mesh axes; declared sizes may be left out
  --backend=NAME         where ranks run: sim (threads of this process)

  --input NAME=FILE.npy  an argument; a scalar may be given as NAME=NUMBER
  --random               fill the arguments that are not given
  --seed=N               of --random, 0 when not given
  --dim=B=2,S=3          values of symbols for --random
  --range=NAME=LOW:HIGH  of a random argument: [-1, 1), for integers [0, 8),
                         when not given
  --output NAME=FILE.npy where to write a result
  --output-dir=DIR       write every result to DIR/NAME.npy

  --check                run on the smallest mesh, too, and compare the results
  --rtol=X --atol=X      differences allowed by --check; by element type when
                         not given
  --repeat=N             run N times; every run must give the same bits
  --bench=N              time N runs after a first one
  --stats[=text|json]    collectives, bytes, memory, time and cost on the host of
                         the last run
  --tune=FILE            cuda: measure every matrix product with all algorithms
                         of the library and append the best ones to FILE, which
                         dtensor-compile --products takes

A result that is not written is printed. The exit code is 0 on success, 1 on
every error and on a failed --check.
)";

bool dtensor::run::parseInteger(const std::string &text, int64_t &value) {
  char *end = nullptr;
  errno = 0;
  value = std::strtoll(text.c_str(), &end, 10);
  return !text.empty() && *end == '\0' && errno == 0;
}

bool dtensor::run::parseNumber(const std::string &text, double &value) {
  char *end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

namespace {

/// Sets the option from its text; false: the text is wrong.
using Setter = std::function<bool(const std::string &)>;

enum class Value { None, Optional, Required };

struct Flag {
  const char *name;
  Value value;
  Setter set;
};

bool splitNamed(const std::string &text, std::string &name,
                std::string &value) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return false;
  name = text.substr(0, equals);
  value = text.substr(equals + 1);
  return !value.empty();
}

bool addNamed(Named &list, const std::string &text) {
  std::string name, value;
  if (!splitNamed(text, name, value))
    return false;
  list.emplace_back(name, value);
  return true;
}

/// "a=1,b=2", appended.
bool addIntegers(NamedInts &list, const std::string &text) {
  size_t start = 0;
  while (start <= text.size()) {
    size_t end = std::min(text.find(',', start), text.size());
    std::string name, value;
    int64_t number;
    if (!splitNamed(text.substr(start, end - start), name, value) ||
        !parseInteger(value, number))
      return false;
    list.emplace_back(name, number);
    start = end + 1;
  }
  return true;
}

bool addRange(std::vector<Range> &ranges, const std::string &text) {
  std::string name, value;
  if (!splitNamed(text, name, value))
    return false;
  size_t colon = value.find(':');
  if (colon == std::string::npos)
    return false;
  Range range = {name, 0, 0};
  if (!parseNumber(value.substr(0, colon), range.low) ||
      !parseNumber(value.substr(colon + 1), range.high) ||
      !(range.low < range.high))
    return false;
  ranges.push_back(range);
  return true;
}

bool setPositive(int64_t &value, const std::string &text) {
  return parseInteger(text, value) && value >= 1;
}

bool setTolerance(std::optional<double> &tolerance, const std::string &text) {
  double value;
  if (!parseNumber(text, value) || !(value >= 0))
    return false;
  tolerance = value;
  return true;
}

bool setStats(StatsFormat &format, const std::string &text) {
  format = text == "json" ? StatsFormat::Json : StatsFormat::Text;
  return text.empty() || text == "json" || text == "text";
}

Flag flag(const char *name, bool &value) {
  return {name, Value::None, [&](const std::string &) { return value = true; }};
}

Flag textFlag(const char *name, std::string &value) {
  return {name, Value::Required, [&](const std::string &text) {
            value = text;
            return !text.empty();
          }};
}

template <typename T, typename Parse>
Flag parsedFlag(const char *name, T &value, Parse parse,
                Value needs = Value::Required) {
  return {name, needs, [&value, parse](const std::string &text) {
            return parse(value, text);
          }};
}

std::vector<Flag> makeFlags(Options &o) {
  auto setSeed = [](uint64_t &seed, const std::string &text) {
    int64_t value;
    bool ok = parseInteger(text, value);
    seed = static_cast<uint64_t>(value);
    return ok;
  };
  return {flag("list", o.list),
          flag("random", o.random),
          flag("check", o.check),
          flag("help", o.help),
          textFlag("entry", o.entry),
          textFlag("backend", o.backend),
          textFlag("output-dir", o.outputDir),
          textFlag("tune", o.tune),
          parsedFlag("mesh", o.mesh, addIntegers),
          parsedFlag("dim", o.dims, addIntegers),
          parsedFlag("input", o.inputs, addNamed),
          parsedFlag("output", o.outputs, addNamed),
          parsedFlag("range", o.ranges, addRange),
          parsedFlag("seed", o.seed, setSeed),
          parsedFlag("rtol", o.rtol, setTolerance),
          parsedFlag("atol", o.atol, setTolerance),
          parsedFlag("bench", o.bench, setPositive),
          parsedFlag("repeat", o.repeat, setPositive),
          parsedFlag("stats", o.stats, setStats, Value::Optional)};
}

const Flag *findFlag(const std::vector<Flag> &flags, const std::string &name) {
  for (const Flag &flag : flags)
    if (name == flag.name)
      return &flag;
  return nullptr;
}

/// Handles argument `i`, a flag, and moves `i` over a separate value.
bool parseFlag(const std::vector<Flag> &flags, int argc,
               const char *const *argv, int &i, std::string &error) {
  std::string text = argv[i];
  std::string body = text.substr(text.compare(0, 2, "--") == 0 ? 2 : 1);
  size_t equals = body.find('=');
  bool hasValue = equals != std::string::npos;
  std::string name = body.substr(0, equals);
  std::string value = hasValue ? body.substr(equals + 1) : "";
  const Flag *found = findFlag(flags, name);
  if (!found) {
    error = "unknown option \"" + text + "\"; see --help";
    return false;
  }
  if (found->value == Value::None && hasValue) {
    error = "option --" + name + " takes no value";
    return false;
  }
  if (found->value == Value::Required && !hasValue) {
    if (i + 1 >= argc) {
      error = "option --" + name + " needs a value";
      return false;
    }
    value = argv[++i];
  }
  if (!found->set(value)) {
    error = "option --" + name + ": cannot understand \"" + value +
            "\"; see --help";
    return false;
  }
  return true;
}

/// Rejects a name given twice: the first one would be lost silently.
template <typename T>
bool checkUnique(const char *flag,
                 const std::vector<std::pair<std::string, T>> &list,
                 std::string &error) {
  for (size_t i = 0; i < list.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (list[i].first == list[j].first) {
        error = std::string("option --") + flag + " names \"" + list[i].first +
                "\" twice";
        return false;
      }
  return true;
}

} // namespace

bool dtensor::run::parseOptions(int argc, const char *const *argv,
                                Options &options, std::string &error) {
  std::vector<Flag> flags = makeFlags(options);
  for (int i = 1; i < argc; ++i) {
    std::string text = argv[i];
    if (text.size() > 1 && text[0] == '-') {
      if (!parseFlag(flags, argc, argv, i, error))
        return false;
    } else if (options.program.empty()) {
      options.program = text;
    } else {
      error = "a second program, \"" + text + "\", after \"" + options.program +
              "\"";
      return false;
    }
  }
  if (options.help)
    return true;
  if (options.program.empty()) {
    error = "no program given; see --help";
    return false;
  }
  if (!options.dims.empty() && !options.random) {
    error = "option --dim needs --random; shapes of given inputs bind the "
            "symbols";
    return false;
  }
  return checkUnique("mesh", options.mesh, error) &&
         checkUnique("dim", options.dims, error) &&
         checkUnique("input", options.inputs, error) &&
         checkUnique("output", options.outputs, error);
}
