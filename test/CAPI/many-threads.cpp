// Many threads compile many programs in one process, and each gets what one
// thread alone gets: the same bytes, the same errors.
//
// Usage: many-threads THREADS LEAST FILE...
//
// A file may hold several programs, with a line "// -----" between them. Each
// is compiled to a bundle for CPUs, to text for GPUs, and up to the local view;
// at least LEAST of these must compile, the others must be refused alike. The
// threads come first: what is made once per process is then made by all of them
// at once.

#include "dtensor-c/dtensor_compiler.h"

#include "Distance.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Form {
  const char *target, *emit;
};
const Form kForms[] = {
    {"cpu", "bundle"}, {"cuda:sm_90a", "ptx"}, {"cpu", "local"}};

struct Program {
  std::string name, text;
  Form form;
};

struct Outcome {
  int status = -1;
  std::string bytes, errors, told;
  bool operator==(const Outcome &other) const {
    return status == other.status && bytes == other.bytes &&
           errors == other.errors && told == other.told;
  }
};

std::vector<Program> readPrograms(char **first, char **last) {
  std::vector<Program> programs;
  for (; first != last; ++first) {
    std::ifstream file(*first);
    std::string line, text;
    auto finish = [&] {
      if (text.find("func.func") != std::string::npos)
        for (Form form : kForms)
          programs.push_back({*first, text, form});
      text.clear();
    };
    while (std::getline(file, line)) {
      if (line.rfind("// -----", 0) == 0)
        finish();
      else
        text += line + "\n";
    }
    finish();
  }
  return programs;
}

void tell(void *user, const dtensor_compiler_diagnostic *diagnostic) {
  std::string &told = *static_cast<std::string *>(user);
  told += std::to_string(diagnostic->severity) + diagnostic->place + ": " +
          diagnostic->message + "\n";
}

Outcome compile(dtensor_compiler_session *session, const Program &program) {
  Outcome outcome;
  dtensor_compiler_program *parsed = nullptr;
  outcome.status = dtensor_compiler_session_parse(
      session, program.text.data(), program.text.size(), program.name.c_str(),
      tell, &outcome.told, &parsed);
  if (outcome.status == 0) {
    dtensor_compiler_options options = {};
    options.struct_size = sizeof(options);
    options.target = program.form.target;
    options.emit = program.form.emit;
    // The same on every machine.
    options.cpu = "x86-64-v3";
    dtensor_compiler_buffer bytes = {};
    bytes.struct_size = sizeof(bytes);
    outcome.status = dtensor_compiler_compile(parsed, &options, &bytes);
    outcome.bytes.assign(bytes.data ? bytes.data : "", bytes.bytes);
    dtensor_compiler_buffer_free(&bytes);
  }
  if (outcome.status != 0)
    outcome.errors = dtensor_compiler_last_error();
  dtensor_compiler_destroy(parsed);
  return outcome;
}

std::vector<Outcome> compileAll(dtensor_compiler_session *session,
                                const std::vector<Program> &programs,
                                unsigned numThreads) {
  std::vector<Outcome> outcomes(programs.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < programs.size(); i = next++)
      outcomes[i] = compile(session, programs[i]);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < numThreads; ++i)
    threads.emplace_back(work);
  for (std::thread &thread : threads)
    thread.join();
  return outcomes;
}

dtensor_compiler_session *makeSession() {
  dtensor_compiler_session *session = nullptr;
  dtensor_compiler_custom_op op = {};
  op.struct_size = sizeof(op);
  op.name = "host.distance";
  op.rule = distanceRule;
  op.lower = distanceLowering;
  if (dtensor_compiler_session_create(&session) ||
      dtensor_compiler_session_add_op(session, &op))
    std::exit(2);
  return session;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 4)
    return 2;
  unsigned numThreads = static_cast<unsigned>(std::atoi(argv[1]));
  size_t least = static_cast<size_t>(std::atoi(argv[2]));
  std::vector<Program> programs = readPrograms(argv + 3, argv + argc);
  dtensor_compiler_session *session = makeSession();
  std::vector<Outcome> many = compileAll(session, programs, numThreads);
  std::vector<Outcome> alone = compileAll(session, programs, 1);
  dtensor_compiler_session_destroy(session);
  size_t compiled = 0, different = 0;
  for (size_t i = 0; i < programs.size(); ++i) {
    compiled += alone[i].status == 0;
    if (many[i] == alone[i])
      continue;
    ++different;
    std::printf("%s differs: status %d and %d\n%s%s", programs[i].name.c_str(),
                many[i].status, alone[i].status, many[i].told.c_str(),
                alone[i].told.c_str());
  }
  std::printf("%zu programs on %u threads: %zu compiled, %zu refused, "
              "%zu different\n",
              programs.size(), numThreads, compiled, programs.size() - compiled,
              different);
  return different || compiled < least;
}
