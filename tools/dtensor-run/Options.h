//===- Options.h - the command line of dtensor-run --------------*- C++ -*-===//
//
// Parsed by hand: the tool links the runtime only.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUN_OPTIONS_H
#define DTENSOR_RUN_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dtensor::run {

using Named = std::vector<std::pair<std::string, std::string>>;
using NamedInts = std::vector<std::pair<std::string, int64_t>>;

struct Range {
  std::string name;
  double low, high;
};

enum class StatsFormat { None, Text, Json };

struct Options {
  std::string program;
  std::string entry;
  std::string backend = "sim";
  NamedInts mesh;
  Named inputs;
  Named outputs;
  std::string outputDir;
  bool random = false;
  uint64_t seed = 0;
  NamedInts dims;
  std::vector<Range> ranges;
  bool check = false;
  std::optional<double> rtol, atol;
  StatsFormat stats = StatsFormat::None;
  int64_t bench = 0;
  int64_t repeat = 1;
  std::string tune;
  bool list = false;
  bool help = false;
};

/// False with `error` set for anything not understood.
bool parseOptions(int argc, const char *const *argv, Options &options,
                  std::string &error);

/// The text of --help.
extern const char *const kUsage;

/// Whole-text conversions; false on anything else.
bool parseInteger(const std::string &text, int64_t &value);
bool parseNumber(const std::string &text, double &value);

} // namespace dtensor::run

#endif // DTENSOR_RUN_OPTIONS_H
