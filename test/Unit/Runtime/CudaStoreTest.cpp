//===- CudaStoreTest.cpp - how ranks of a job find each other ---*- C++ -*-===//

#include "../../../lib/Runtime/Backends/CUDA/Store.h"

#include "../../../lib/Runtime/Core/Error.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;
using testing::HasSubstr;

namespace {

/// One that nobody has now: tests run side by side.
int freePort() {
  int handle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  socklen_t size = sizeof(address);
  auto *any = reinterpret_cast<sockaddr *>(&address);
  EXPECT_EQ(bind(handle, any, size), 0);
  EXPECT_EQ(getsockname(handle, any, &size), 0);
  close(handle);
  return ntohs(address.sin_port);
}

Job jobOf(int64_t rank, int64_t size, int port) {
  Job job;
  job.rank = rank;
  job.size = size;
  job.address = "127.0.0.1";
  job.port = port;
  return job;
}

TEST(Store, AValueReachesRanksThatWaitForItAlready) {
  int port = freePort();
  auto first = makeTcpStore(jobOf(0, 2, port), 5);
  auto second = makeTcpStore(jobOf(1, 2, port), 5);
  auto value = std::async([&] { return second->get("key", 5); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::string bytes("a\0b", 3);
  first->set("key", bytes);
  EXPECT_EQ(value.get(), bytes);
  EXPECT_EQ(first->get("key", 5), bytes);
  second.reset();
}

TEST(Store, AMissingValueIsAnErrorAfterAWhile) {
  auto store = makeTcpStore(jobOf(0, 1, freePort()), 5);
  try {
    store->get("nobody", 0.1);
    FAIL();
  } catch (const std::exception &error) {
    EXPECT_THAT(error.what(), HasSubstr("no rank set \"nobody\" within 0.1 s"));
  }
}

TEST(Store, AnUnreachableFirstRankIsAnErrorWithItsAddress) {
  try {
    makeTcpStore(jobOf(1, 2, freePort()), 0.2);
    FAIL();
  } catch (const std::exception &error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 1 cannot reach rank 0 at "
                                        "127.0.0.1:"));
  }
}

TEST(Store, AFailureIsToldToTheOthers) {
  int port = freePort();
  auto first = makeTcpStore(jobOf(0, 2, port), 5);
  auto second = makeTcpStore(jobOf(1, 2, port), 5);
  // Two meshes in one process, and a third one that is gone.
  std::promise<std::string> told[2];
  for (auto &promise : told)
    first->setOnFailure(&promise,
                        [&](int64_t rank, const std::string &message) {
                          promise.set_value(concat(rank, ": ", message));
                        });
  first->setOnFailure(&port, [&](int64_t, const std::string &) { FAIL(); });
  first->setOnFailure(&port, nullptr);
  second->fail(1, "no memory");
  for (auto &promise : told)
    EXPECT_EQ(promise.get_future().get(), "1: no memory");
  second.reset();
}

/// A process that has a place in a job and does nothing.
pid_t startOther(const Job &job) {
  pid_t process = fork();
  if (process != 0)
    return process;
  auto store = makeTcpStore(job, 10);
  store->set("here", "1");
  pause();
  _exit(0);
}

/// What `store` says within `seconds` after `signal` was sent to `process`.
std::string tell(Store &store, pid_t process, int signal, double seconds) {
  std::promise<std::string> told;
  store.setOnFailure(&told, [&](int64_t rank, const std::string &message) {
    told.set_value(concat(rank, ": ", message));
  });
  kill(process, signal);
  auto future = told.get_future();
  auto state = future.wait_for(std::chrono::duration<double>(seconds));
  store.setOnFailure(&told, nullptr);
  return state == std::future_status::ready ? future.get() : "nothing";
}

void end(pid_t process) {
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
}

/// Killed without a word, as by kill -9.
TEST(Store, AProcessThatEndsIsReportedAtOnce) {
  int port = freePort();
  pid_t child = startOther(jobOf(1, 2, port));
  auto store = makeTcpStore(jobOf(0, 2, port), 5);
  store->get("here", 10);
  EXPECT_EQ(tell(*store, child, SIGKILL, 5), "1: its process ended");
  end(child);
}

/// What rank `here` says when the other one was stopped.
std::string tellOfStopped(int64_t here, double beatSeconds, double seconds) {
  Job job = jobOf(here, 2, freePort()), other = job;
  other.rank = 1 - here;
  job.beatSeconds = other.beatSeconds = beatSeconds;
  pid_t child = startOther(other);
  auto store = makeTcpStore(job, 5);
  store->get("here", 10);
  std::string said = tell(*store, child, SIGSTOP, seconds);
  // Where it is known, it does not hold up the end of the others.
  if (beatSeconds == 0)
    end(child);
  store.reset();
  if (beatSeconds != 0)
    end(child);
  return said;
}

TEST(Store, AProcessThatIsStoppedIsReported) {
  EXPECT_EQ(tellOfStopped(0, 0.1, 5), "1: its process does not answer");
}
TEST(Store, AFirstRankThatIsStoppedIsReported) {
  EXPECT_EQ(tellOfStopped(1, 0.1, 5), "0: its process does not answer");
}
/// As debuggers stop one.
TEST(Store, SilenceIsNoFailureWithoutBeats) {
  EXPECT_EQ(tellOfStopped(0, 0, 1), "nothing");
}

TEST(Store, AGoodbyeIsNoFailure) {
  int port = freePort();
  auto first = makeTcpStore(jobOf(0, 2, port), 5);
  bool hasFailed = false;
  first->setOnFailure(&port,
                      [&](int64_t, const std::string &) { hasFailed = true; });
  makeTcpStore(jobOf(1, 2, port), 5).reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(hasFailed);
}

class JobTest : public testing::Test {
protected:
  void SetUp() override {
    for (const char *name :
         {"RANK", "WORLD_SIZE", "LOCAL_RANK", "OMPI_COMM_WORLD_RANK",
          "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_PROCID",
          "SLURM_NTASKS", "SLURM_LOCALID", "MASTER_ADDR", "MASTER_PORT",
          "PMI_RANK", "PMI_SIZE", "DTENSOR_PORT", "DTENSOR_BEAT_SECONDS"})
      unsetenv(name);
  }
  void TearDown() override { SetUp(); }
  void set(const char *name, const char *value) { setenv(name, value, 1); }
};

TEST_F(JobTest, WithoutALauncherAllRanksAreHere) {
  EXPECT_FALSE(readJob().isDistributed());
}

TEST_F(JobTest, EveryLauncherIsUnderstood) {
  set("RANK", "3");
  set("WORLD_SIZE", "4");
  set("LOCAL_RANK", "1");
  set("MASTER_ADDR", "host");
  set("MASTER_PORT", "29500");
  Job job = readJob();
  EXPECT_EQ(job.rank, 3);
  EXPECT_EQ(job.size, 4);
  EXPECT_EQ(job.localRank, 1);
  EXPECT_EQ(job.address, "host");
  EXPECT_EQ(job.port, 29517);
  SetUp();
  set("OMPI_COMM_WORLD_RANK", "1");
  set("OMPI_COMM_WORLD_SIZE", "2");
  set("OMPI_COMM_WORLD_LOCAL_RANK", "0");
  EXPECT_EQ(readJob().rank, 1);
  EXPECT_EQ(readJob().localRank, 0);
  SetUp();
  set("SLURM_PROCID", "5");
  set("SLURM_NTASKS", "8");
  EXPECT_EQ(readJob().rank, 5);
}

TEST_F(JobTest, ABrokenEnvironmentIsAnError) {
  set("RANK", "x");
  set("WORLD_SIZE", "4");
  try {
    readJob();
    FAIL();
  } catch (const std::exception &error) {
    EXPECT_THAT(error.what(), HasSubstr("environment variable RANK is \"x\""));
  }
}

} // namespace
