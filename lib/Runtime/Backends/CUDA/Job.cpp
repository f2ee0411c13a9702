//===- Job.cpp - this process in its job ------------------------*- C++ -*-===//
//
// Launchers tell a process its place by environment variables of their own.
//
//===----------------------------------------------------------------------===//

#include "Store.h"

#include "../../Core/Error.h"

#include <cstdlib>
#include <optional>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

namespace {

struct Launcher {
  const char *rank, *size, *localRank;
};

constexpr Launcher kLaunchers[] = {
    {"RANK", "WORLD_SIZE", "LOCAL_RANK"}, // torchrun
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
     "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
    {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"},
};

// torchrun's own store may listen on MASTER_PORT itself.
constexpr int kPortOffset = 17;
constexpr int kDefaultPort = 29400;

std::optional<int64_t> readNumber(const char *variable) {
  const char *text = std::getenv(variable);
  if (!text)
    return std::nullopt;
  char *end = nullptr;
  int64_t value = std::strtoll(text, &end, 10);
  if (end == text || *end || value < 0)
    raise(DTENSOR_RT_INVALID_ARGUMENT, "environment variable ", variable,
          " is \"", text, "\", a number is expected");
  return value;
}

} // namespace

Job cuda::readJob() {
  Job job;
  for (const Launcher &launcher : kLaunchers) {
    auto rank = readNumber(launcher.rank), size = readNumber(launcher.size);
    if (!rank || !size)
      continue;
    job.rank = *rank;
    job.size = *size;
    job.localRank = readNumber(launcher.localRank).value_or(*rank);
    break;
  }
  if (job.rank >= job.size)
    raise(DTENSOR_RT_INVALID_ARGUMENT, "the environment says rank ", job.rank,
          " of ", job.size, " processes");
  const char *address = std::getenv("MASTER_ADDR");
  if (!address)
    address = std::getenv("SLURM_LAUNCH_NODE_IPADDR");
  job.address = address ? address : "127.0.0.1";
  job.port = static_cast<int>(
      readNumber("DTENSOR_PORT")
          .value_or(readNumber("MASTER_PORT").value_or(kDefaultPort) +
                    kPortOffset));
  job.beatSeconds = readNumber("DTENSOR_BEAT_SECONDS").value_or(1);
  return job;
}
