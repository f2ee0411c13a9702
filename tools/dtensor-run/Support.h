//===- Support.h - ending and waiting ---------------------------*- C++ -*-===//

#ifndef DTENSOR_RUN_SUPPORT_H
#define DTENSOR_RUN_SUPPORT_H

#include <memory>
#include <string>

namespace dtensor::run {

/// A failure on its way to main. Functions of this tool return false after
/// they have set it.
using Error = std::string;

/// On a terminal, after a second, shows `what` and the time it takes on one
/// line of standard error, and takes the line away at the end.
class Progress {
public:
  explicit Progress(const std::string &what);
  ~Progress();

private:
  struct State;
  std::unique_ptr<State> state; // null: no terminal
};

/// A folder that is removed, with the one file in it, at the end.
class TemporaryFile {
public:
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile &) = delete;
  ~TemporaryFile();

  /// Makes the folder; the file is `name` in it.
  bool create(const std::string &name, Error &error);
  const std::string &getPath() const { return path; }

private:
  std::string folder, path;
};

/// Compiles `source` to the bundle `output` with the dtensor-compile in the
/// folder of this executable; its messages go to standard error.
bool compileProgram(const std::string &source, const std::string &output,
                    Error &error);

} // namespace dtensor::run

#endif // DTENSOR_RUN_SUPPORT_H
