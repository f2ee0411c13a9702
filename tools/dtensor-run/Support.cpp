//===- Support.cpp - ending and waiting -------------------------*- C++ -*-===//

#include "Support.h"

#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace dtensor::run;

extern char **environ;

struct Progress::State {
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::thread thread;

  void show(const std::string &what) {
    std::unique_lock<std::mutex> lock(mutex);
    int seconds = 0;
    while (!ended.wait_for(lock, std::chrono::seconds(1), [&] { return done; }))
      std::fprintf(stderr, "\r%s ... %d s", what.c_str(), ++seconds);
    if (seconds)
      std::fprintf(stderr, "\r\x1b[K");
  }
};

Progress::Progress(const std::string &what) {
  if (!isatty(STDERR_FILENO))
    return;
  state = std::make_unique<State>();
  state->thread = std::thread([this, what] { state->show(what); });
}

Progress::~Progress() {
  if (!state)
    return;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->done = true;
  }
  state->ended.notify_all();
  state->thread.join();
}

TemporaryFile::~TemporaryFile() {
  if (folder.empty())
    return;
  unlink(path.c_str());
  rmdir(folder.c_str());
}

bool TemporaryFile::create(const std::string &name, Error &error) {
  const char *base = std::getenv("TMPDIR");
  std::string pattern =
      std::string(base && *base ? base : "/tmp") + "/dtensor-run-XXXXXX";
  if (!mkdtemp(pattern.data())) {
    error = "cannot make a temporary folder \"" + pattern +
            "\": " + std::strerror(errno);
    return false;
  }
  folder = pattern;
  path = folder + "/" + name;
  return true;
}

static std::string siblingExecutable(const char *name) {
  char buffer[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", buffer, sizeof(buffer));
  std::string self(buffer, length > 0 ? static_cast<size_t>(length) : 0);
  return self.substr(0, self.rfind('/') + 1) + name;
}

bool dtensor::run::compileProgram(const std::string &source,
                                  const std::string &output, Error &error) {
  Progress progress("compiling " + source);
  std::string compiler = siblingExecutable("dtensor-compile");
  const char *arguments[] = {compiler.c_str(), source.c_str(), "-o",
                             output.c_str(), nullptr};
  pid_t child;
  int code = posix_spawn(&child, compiler.c_str(), nullptr, nullptr,
                         const_cast<char *const *>(arguments), environ);
  if (code != 0) {
    error = "cannot start \"" + compiler + "\" to compile \"" + source +
            "\": " + std::strerror(code);
    return false;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return true;
  error =
      "\"" + source + "\" does not compile: dtensor-compile ended with " +
      (WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                         : "signal " + std::to_string(WTERMSIG(status)));
  return false;
}
