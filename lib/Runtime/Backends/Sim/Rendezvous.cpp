//===- Rendezvous.cpp - ranks of one process meet ---------------*- C++ -*-===//

#include "Rendezvous.h"

#include "../../Core/Error.h"

using namespace dtensor::rt;
using namespace dtensor::rt::sim;

Rendezvous::Meeting::Meeting(const Group &group)
    : members(group.members), axes(group.axes), calls(group.members.size()) {}

Rendezvous::Rendezvous(const Mesh &mesh)
    : mesh(mesh), finished(mesh.numRanks()) {}

/// The error, or nothing: a member that cannot do its part departs all the
/// same, since the others wait for it.
static std::string tryExecute(const std::vector<const Collective *> &calls,
                              int64_t position) {
  try {
    execute(calls, position);
    return "";
  } catch (const std::exception &error) {
    return error.what();
  }
}

bool Rendezvous::join(RankContext &rank, const Group &group,
                      const Collective &call) {
  Lock lock(mutex);
  Meeting &meeting = getMeeting(group);
  if (!arrive(lock, meeting, rank.getRank(), group, call))
    return false;
  lock.unlock();
  std::string problem = tryExecute(meeting.calls, group.position);
  lock.lock();
  if (!problem.empty())
    failLocked(concat("rank ", rank.getRank(), ": ", problem));
  return depart(lock, meeting);
}

void Rendezvous::fail(int64_t rank, const std::string &message) {
  Lock lock(mutex);
  failLocked(concat("rank ", rank, ": ", message));
}

void Rendezvous::finish(int64_t rank) {
  Lock lock(mutex);
  finished[rank] = true;
  ++numFinished;
  for (auto &[key, meeting] : meetings)
    checkFinished(*meeting);
  checkStuck();
}

std::string Rendezvous::getError() {
  Lock lock(mutex);
  return error;
}

Rendezvous::Meeting &Rendezvous::getMeeting(const Group &group) {
  auto &slot = meetings[{group.axes, group.first}];
  if (!slot)
    slot = std::make_unique<Meeting>(group);
  return *slot;
}

bool Rendezvous::arrive(Lock &lock, Meeting &meeting, int64_t rank,
                        const Group &group, const Collective &call) {
  if (failed)
    return false;
  meeting.calls[group.position] = &call;
  if (++meeting.arrived == meeting.members.size()) {
    numWaiting -= static_cast<int64_t>(meeting.members.size()) - 1;
    try {
      checkTogether(meeting.calls, meeting.members);
    } catch (const Error &mismatch) {
      failLocked(mismatch.what());
      return false;
    }
    nextStep(meeting);
    return true;
  }
  ++numWaiting;
  checkFinished(meeting);
  checkStuck();
  // When the step came true the others rely on this member, failed or not.
  uint64_t step = meeting.step;
  meeting.changed.wait(lock, [&] { return meeting.step != step || failed; });
  return meeting.step != step;
}

bool Rendezvous::depart(Lock &lock, Meeting &meeting) {
  if (++meeting.done < meeting.members.size()) {
    // Waited for even in a failed run: members that still copy read this
    // member's source, which must not be freed.
    uint64_t step = meeting.step;
    meeting.changed.wait(lock, [&] { return meeting.step != step; });
    return !failed;
  }
  meeting.calls.assign(meeting.members.size(), nullptr);
  meeting.arrived = 0;
  meeting.done = 0;
  nextStep(meeting);
  return !failed;
}

void Rendezvous::nextStep(Meeting &meeting) {
  ++meeting.step;
  meeting.changed.notify_all();
}

void Rendezvous::failLocked(const std::string &message) {
  if (failed)
    return;
  failed = true;
  error = message;
  for (auto &[key, meeting] : meetings)
    meeting->changed.notify_all();
}

/// A meeting that is still filling must have no finished member.
void Rendezvous::checkFinished(const Meeting &meeting) {
  if (failed || meeting.arrived == 0 ||
      meeting.arrived == meeting.members.size())
    return;
  size_t waiting = 0;
  while (!meeting.calls[waiting])
    ++waiting;
  for (int64_t member : meeting.members)
    if (finished[member])
      return failLocked(concat("rank ", member, " finished while ",
                               describeWait(meeting, waiting)));
}

void Rendezvous::checkStuck() {
  if (failed || numWaiting == 0 || numWaiting + numFinished < mesh.numRanks())
    return;
  std::string list;
  for (auto &[key, meeting] : meetings)
    for (size_t i = 0; i < meeting->members.size(); ++i)
      if (meeting->calls[i])
        list += (list.empty() ? "" : ", ") + describeWait(*meeting, i);
  failLocked("no rank can go on: " + list);
}

std::string Rendezvous::describeWait(const Meeting &meeting,
                                     size_t position) const {
  return concat("rank ", meeting.members[position], " waits in ",
                describe(*meeting.calls[position]), " over ",
                axesString(mesh, meeting.axes));
}
