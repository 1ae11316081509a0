#include "forwarder/sender_limits.h"

#include <algorithm>

namespace logvault::forwarder {

namespace {

double SecondsOf(std::int64_t nanos) {
  return static_cast<double>(nanos) / static_cast<double>(kNanosPerSecond);
}

}  // namespace

bool SenderLimits::Take(const std::string& sender, std::size_t bytes) {
  if (rate_ <= 0) return true;
  Sender& taker = Refilled(sender);
  if (taker.left <= 0) return false;
  taker.left =
      std::max(taker.left - static_cast<double>(bytes), -rate_ * SecondsOf(kSenderPauseMaxNanos));
  return true;
}

std::int64_t SenderLimits::NextTurn(const std::string& sender) {
  const std::int64_t now = clock_.Monotonic();
  if (rate_ <= 0) return now;
  const double left = Refilled(sender).left;
  if (left > 0) return now;
  return now + 1 + static_cast<std::int64_t>(-left / rate_ * static_cast<double>(kNanosPerSecond));
}

double SenderLimits::Burst() const {
  return std::min(static_cast<double>(kSenderBurstBytes), rate_ * SecondsOf(kSenderBurstNanos));
}

SenderLimits::Sender& SenderLimits::Refilled(const std::string& sender) {
  const std::int64_t now = clock_.Monotonic();
  auto found = senders_.find(sender);
  if (found == senders_.end()) {
    ForgetSlowOnes(now);
    const bool full = senders_.size() >= kMaxLimitedSenders;
    found = senders_.try_emplace(full ? std::string() : sender, Sender{Burst(), now}).first;
  }
  Sender& refilled = found->second;
  refilled.left = std::min(refilled.left + rate_ * SecondsOf(now - refilled.at), Burst());
  refilled.at = now;
  return refilled;
}

// Of who may send a whole burst again nothing need be known.  Not with every forged address: that would be work.
void SenderLimits::ForgetSlowOnes(std::int64_t now) {
  if (senders_.size() < kMaxLimitedSenders || now < next_forget_) return;
  next_forget_ = now + kSenderPauseMaxNanos;
  std::erase_if(senders_, [this, now](const auto& sender) {
    return sender.second.left + rate_ * SecondsOf(now - sender.second.at) >= Burst();
  });
}

}  // namespace logvault::forwarder
